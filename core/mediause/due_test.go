package mediause_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/mediause"
)

const rest = mediause.Rest

// addCard adds a card to a note.
func addCard(t testing.TB, c mediause.Collection, note, deck int64, queue, kind int, due int64) {
	t.Helper()
	run(t, c, "INSERT INTO cards SELECT coalesce(max(id), 0) + 1, ?, ?, 0, 0, 0, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, '{}' FROM cards", note, deck, kind, queue, due)
}

// setDeck makes a deck with the limits in its JSON.
func setDeck(t testing.TB, c mediause.Collection, id int64, limits string) {
	t.Helper()
	d, err := legacy.ParseDeck(coretest.Text{}, fmt.Appendf(nil, `{"id":%d,"name":"d%d","mod":0,"usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],"timeToday":[0,0],
		"collapsed":false,"browserCollapsed":false,"desc":"",%s}`, id, id, limits))
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "INSERT OR REPLACE INTO decks VALUES (?, ?, 0, 0, ?, ?)", id, fmt.Sprintf("d%d", id), d.Common, d.Kind)
}

// dueDays returns the lowest day of each file.
func dueDays(t testing.TB, c mediause.Collection) map[string]int {
	t.Helper()
	days := map[string]int{}
	err := mediause.Due(t.Context(), c, coretest.NewClock(noon, 0), func(name string, day int) error {
		if have, ok := days[name]; !ok || day < have {
			days[name] = day
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return days
}

func TestDueByQueue(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	now := noon.Unix()
	tomorrow := noon.Add(16 * time.Hour).Unix() // four o'clock
	for i, card := range []struct {
		queue, kind int
		due         int64
		want        int
	}{
		{2, 2, 0, 0}, {2, 2, -5, 0}, {2, 2, 1, 1}, {2, 2, 30, 30}, {3, 1, 2, 2}, {3, 3, 0, 0}, {2, 2, 1 << 40, rest - 1}, // reviews, learning over days
		{1, 1, now - 100, 0}, {1, 1, now + 100, 0}, {1, 3, tomorrow - 1, 0}, {1, 1, tomorrow, 1}, {1, 1, tomorrow + 86400, 2}, // learning
		{4, 2, now + 60, 0},                // preview
		{-1, 2, 0, rest}, {-1, 0, 0, rest}, // suspended
		{-2, 2, 0, 1}, {-3, 2, 7, 7}, {-2, 1, now, 1}, {-3, 1, tomorrow + 86400, 2}, {-2, 3, 3, 3}, {-2, 0, 1, 1}, // buried
		{9, 0, 0, rest},
	} {
		name := fmt.Sprintf("%d.png", i)
		id := addNote(t, c, "Basic", "<img src="+name+">", "")
		addCard(t, c, id, 1, card.queue, card.kind, card.due)
		if got := dueDays(t, c)[name]; got != card.want {
			t.Errorf("queue %d, type %d, due %d: day %d, want %d", card.queue, card.kind, card.due, got, card.want)
		}
		run(t, c, "DELETE FROM notes")
		run(t, c, "DELETE FROM cards")
	}
}

// TestNewCards has 50 new cards in the order of their positions.
func TestNewCards(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, limits string
		want         map[int]int // day of some of the cards
	}{
		{"the configuration's 20", `"dyn":0,"conf":1,"extendNew":0,"extendRev":0`, map[int]int{0: 0, 19: 0, 20: 1, 39: 1, 40: 2, 49: 2}},
		{"no such configuration", `"dyn":0,"conf":99,"extendNew":0,"extendRev":0`, map[int]int{19: 0, 20: 1}},
		{"its own limit", `"dyn":0,"conf":1,"newLimit":5`, map[int]int{4: 0, 5: 1, 10: 2, 49: 9}},
		{"today's limit", `"dyn":0,"conf":1,"newLimit":5,"newLimitToday":{"limit":30,"today":0}`, map[int]int{29: 0, 30: 1, 34: 1, 35: 2}},
		{"another day's limit", `"dyn":0,"conf":1,"newLimit":5,"newLimitToday":{"limit":30,"today":1}`, map[int]int{4: 0, 5: 1}},
		{"not today", `"dyn":0,"conf":1,"newLimit":5,"newLimitToday":{"limit":0,"today":0}`, map[int]int{0: 1, 4: 1, 5: 2}},
		{"never", `"dyn":0,"conf":1,"newLimit":0`, map[int]int{0: rest, 49: rest}},
		{"filtered", `"dyn":1,"terms":[["a",100,1]],"resched":true,"delays":null,"separate":true,"previewDelay":10`, map[int]int{0: 0, 49: 0}},
	} {
		c := newCollection(t)
		setDeck(t, c, 2, test.limits)
		for i := range 50 {
			id := addNote(t, c, "Basic", fmt.Sprintf("<img src=%d.png>", i), "")
			addCard(t, c, id, 2, 0, 0, int64(1000+i))
		}
		days := dueDays(t, c)
		for i, want := range test.want {
			if got := days[fmt.Sprintf("%d.png", i)]; got != want {
				t.Errorf("%s: card %d is shown on day %d, want %d", test.name, i, got, want)
			}
		}
	}
}

// TestStudiedToday: what was studied today counts against today's limit.
func TestStudiedToday(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	setDeck(t, c, 2, `"dyn":0,"conf":1,"newLimit":5`)
	run(t, c, "UPDATE decks SET common = ? WHERE id = 2", []byte{4 << 3, 3}) // new_studied 3, last_day_studied 0
	for i := range 10 {
		addCard(t, c, addNote(t, c, "Basic", fmt.Sprintf("<img src=%d.png>", i), ""), 2, 0, 0, int64(i))
	}
	days := dueDays(t, c)
	for i, want := range []int{0, 0, 1, 1, 1, 1, 1, 2, 2, 2} {
		if got := days[fmt.Sprintf("%d.png", i)]; got != want {
			t.Errorf("card %d is shown on day %d, want %d", i, got, want)
		}
	}
}

func TestDueNames(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	setTemplate(t, c, "Cloze", `<img src="_logo.png">`, `<img src="a%20b.png">`, `x{y:url(_f.ttf)}`)
	first := addNote(t, c, "Basic", `<img src="shared.png"><img src="e`+"\u0301"+`.png">`, `[sound:a:b.mp3]<img src="data:image/png;base64,QQ==">`)
	second := addNote(t, c, "SVG", `[$]x^2[/$]<img src="shared.png">`, "")
	addNote(t, c, "Basic", `<img src="cardless.png"><img src="http://h/x.png"><img src="">`, "")
	addCard(t, c, first, 1, 2, 2, 9)
	addCard(t, c, first, 1, 2, 2, 4)
	addCard(t, c, first, 1, -1, 2, 0)
	addCard(t, c, second, 1, 2, 2, 2)
	want := map[string]int{
		"_logo.png": 0, "a%20b.png": 0, "a b.png": 0, "_f.ttf": 0, "shared.png": 2, "é.png": 4, "a:b.mp3": 4, "ab.mp3": 4, `""`: rest,
		"latex-76b2878564ab19b80abb21ba964abe90fe120846.svg": 2, "cardless.png": rest,
	}
	if got := dueDays(t, c); !maps.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

func TestDueStops(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	setTemplate(t, c, "Cloze", `<img src="_logo.png">`, "", "")
	addNote(t, c, "Basic", `<img src="a.png">`, "")
	enough := errors.New("enough")
	for _, stop := range []string{"_logo.png", "a.png"} {
		err := mediause.Due(t.Context(), c, coretest.NewClock(noon, 0), func(name string, _ int) error {
			if name == stop {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Error(stop, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mediause.Due(ctx, c, coretest.NewClock(noon, 0), func(string, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	run(t, c, "UPDATE decks SET kind = x''")
	if err := mediause.Due(t.Context(), c, coretest.NewClock(noon, 0), func(string, int) error { return nil }); !errors.Is(err, fault.DamagedFile) {
		t.Error(err)
	}
}
