package legacy_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
)

func TestReadNotetype(t *testing.T) {
	t.Parallel()
	for _, svg := range []bool{false, true} {
		n, err := legacy.ParseNotetype(fmt.Appendf(nil, `{"id":1,"name":"n","type":1,"mod":0,"usn":0,"sortf":0,"did":null,"flds":[],"css":".x{}","latexsvg":%v,
			"tmpls":[{"name":"t","qfmt":"Q","afmt":"A","did":5}]}`, svg))
		if err != nil {
			t.Fatal(err)
		}
		if cloze, is, css, err := legacy.NotetypeCards(n.Config); !cloze || is != svg || css != ".x{}" || err != nil {
			t.Error(cloze, is, css, err)
		}
		if question, answer, deck, err := legacy.TemplateCards(n.Templates[0].Config); question != "Q" || answer != "A" || deck != 5 || err != nil {
			t.Error(question, answer, deck, err)
		}
	}
}

func TestReadNewLimits(t *testing.T) {
	t.Parallel()
	const head = `{"id":1,"name":"d","mod":0,"usn":0,"lrnToday":[3,0],"revToday":[3,0],"newToday":[3,7],"timeToday":[3,0],"collapsed":false,
		"browserCollapsed":false,"desc":"",`
	ten, five := int64(10), int64(5)
	for _, c := range []struct {
		limits string
		day    int64
		want   legacy.NewLimits
	}{
		{`"dyn":0,"conf":9}`, 3, legacy.NewLimits{ConfigID: 9, Studied: 7}},
		{`"dyn":0,"conf":9,"newLimit":10,"newLimitToday":{"limit":5,"today":3}}`, 3, legacy.NewLimits{ConfigID: 9, PerDay: &ten, Today: &five, Studied: 7}},
		{`"dyn":0,"conf":9,"newLimit":10,"newLimitToday":{"limit":5,"today":3}}`, 4, legacy.NewLimits{ConfigID: 9, PerDay: &ten}},
		{`"dyn":1,"terms":[["a",100,1]],"resched":true,"delays":null,"separate":true,"previewDelay":10}`, 3, legacy.NewLimits{Filtered: true}},
	} {
		d, err := legacy.ParseDeck(coretest.Text{}, []byte(head+c.limits))
		if err != nil {
			t.Fatal(err)
		}
		got, err := legacy.DeckNewLimits(d.Common, d.Kind, c.day)
		if err != nil || !sameLimits(got, c.want) {
			t.Errorf("%s on day %d: %+v, %v", c.limits, c.day, got, err)
		}
	}
}

func sameLimits(a, b legacy.NewLimits) bool {
	same := func(p, q *int64) bool { return (p == nil) == (q == nil) && (p == nil || *p == *q) }
	return a.Filtered == b.Filtered && a.ConfigID == b.ConfigID && a.Studied == b.Studied && same(a.PerDay, b.PerDay) && same(a.Today, b.Today)
}

func TestReadNewPerDay(t *testing.T) {
	t.Parallel()
	if n, err := legacy.NewPerDay([]byte{9 << 3, 20}); n != 20 || err != nil {
		t.Error(n, err)
	}
}

func TestReadDamaged(t *testing.T) {
	t.Parallel()
	bad := []byte{0xff}
	_, _, _, notetype := legacy.NotetypeCards(bad)
	_, _, _, template := legacy.TemplateCards(bad)
	_, config := legacy.NewPerDay(bad)
	_, common := legacy.DeckNewLimits(bad, []byte{0x0a, 0}, 0)
	_, kind := legacy.DeckNewLimits(nil, bad, 0)
	_, none := legacy.DeckNewLimits(nil, nil, 0)
	for i, err := range []error{notetype, template, config, common, kind, none} {
		if !errors.Is(err, fault.DamagedFile) {
			t.Errorf("%d: %v", i, err)
		}
	}
}
