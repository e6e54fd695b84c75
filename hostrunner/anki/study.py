"""The operations of agent.py that study, before which this text is put."""


def op_study_tree(name, a):
    """The list of decks with its numbers, parents first."""
    out = []

    def walk(n):
        out.append({"id": n.deck_id, "name": n.name, "level": n.level, "collapsed": n.collapsed, "filtered": n.filtered,
                    "counts": [n.new_count, n.learn_count, n.review_count, n.intraday_learning, n.interday_learning_uncapped,
                               n.new_uncapped, n.review_uncapped, n.total_in_deck, n.total_including_children]})
        for child in n.children:
            walk(child)
    for child in COLS[name].sched.deck_due_tree().children:
        walk(child)
    return out


def op_study_queue(name, a):
    """The queue of a deck: its counts, and its cards in order."""
    col = COLS[name]
    col.decks.set_current(a["deck"])
    r = col.sched.get_queued_cards(fetch_limit=a.get("limit", 1000))
    info = col.sched.congratulations_info()
    return {"counts": [r.new_count, r.learning_count, r.review_count], "cards": [c.card.id for c in r.cards],
            "kinds": [c.queue for c in r.cards],
            "info": [info.learn_remaining, info.review_remaining, info.new_remaining, info.have_sched_buried, info.have_user_buried]}


def op_study_answer(name, a):
    """Answers a card; returns what the buttons said."""
    col = COLS[name]
    card = col.get_card(a["card"])
    labels = [col.sched.nextIvlStr(card, i).replace("\u2068", "").replace("\u2069", "") for i in (1, 2, 3, 4)]
    card.start_timer()
    card.timer_started -= a["ms"] / 1000
    col.sched.answerCard(card, a["button"])
    return labels


def op_study_states(name, a):
    """The states of cards that are in no preview: the present one, then those after the four buttons."""
    def numbers(state):
        if state.WhichOneof("kind") == "filtered":
            state = state.filtered.rescheduling.original_state
        else:
            state = state.normal
        kind = state.WhichOneof("kind")
        review, step = state.review, state.learning
        if kind == "relearning":
            review, step = state.relearning.review, state.relearning.learning
        memory = (review if kind == "review" else step).memory_state
        return {"kind": kind, "days": review.scheduled_days, "seconds": step.scheduled_secs,
                "memory": [memory.stability, memory.difficulty]}
    out = []
    for card in a["cards"]:
        s = COLS[name]._backend.get_scheduling_states(card)
        out.append([numbers(x) for x in (s.current, s.again, s.hard, s.good, s.easy)])
    return out


def op_study_today(name, a):
    return COLS[name].studied_today()


