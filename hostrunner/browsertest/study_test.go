package browsertest_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestStudy studies a deck of the desktop's in a page to its end, while a sync waits for the server: what the page wrote is then on
// the desktop, which has the same counts.
func TestStudy(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	desktop := newDesktop(t, endpoint, acc)
	for _, front := range []string{"a", "b", "c"} {
		desktop.addNote(t, front, front, "back")
	}
	desktop.full(t, true)
	proxy := anki.NewProxy(t, endpoint)
	server := browsertest.NewServer(t, proxy.URL)
	page := browsertest.Start(t).Open(t, server.URL)
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]}); await ferry.download()`, acc.User, anki.Password)
	wantKind(t, page.Try(t, nil, `await ferry.nextCards(5)`), fault.NotFound)

	studied := 0
	proxy.Use(anki.Hooks{Before: func(x *anki.Exchange) anki.Verdict {
		if x.Method == "meta" && studied == 0 {
			page.Run(t, &studied, `
				let n = 0;
				const decks = (await ferry.deckTree()).decks;
				const deck = decks.find((d) => d.new > 0);
				if (deck.new !== 3 || deck.total_all !== 3) throw new Error(JSON.stringify(decks));
				for (;;) {
					const next = await ferry.nextCards(deck.id, { count: 2 });
					const card = next.cards[0];
					if (!card) {
						if (!next.finished || next.counts.learn !== 0) throw new Error(JSON.stringify(next));
						break;
					}
					if (card.labels.length !== 4 || card.answers[3].kind !== "review") throw new Error(JSON.stringify(card));
					await ferry.edit([{ op: "answerCard", cardId: card.card_id, button: 4, takenMs: 2000 }]);
					n++;
				}
				const { studied } = await ferry.deckTree();
				if (studied.cards !== 3 || studied.ms !== 6000) throw new Error(JSON.stringify(studied));
				return n`)
		}
		return anki.Pass
	}})
	page.Run(t, nil, `globalThis.report = ferry.sync(); report.catch(() => {})`)
	var report syncReport
	page.Run(t, &report, `return await report`)
	if studied != 3 {
		t.Errorf("%d cards were studied", studied)
	}
	page.Run(t, &report, `return await ferry.sync()`)
	desktop.sync(t)
	wantEqual(t, "after studying in the page", page, desktop)
	page.Run(t, nil, `await ferry.close()`)
}
