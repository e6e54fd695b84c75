package edit

import (
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/render"
	"github.com/cardferry/cardferry/core/rows"
)

// setTemplate changes the texts of a card template, or the style of its notetype. As with the reference, that is no change of
// the schema: other devices merge it. Notes get the cards that they have now and had not; none is removed.
func (e *edit) setTemplate(op *Op) error {
	nt, err := e.notetype(op.NotetypeID)
	if err != nil {
		return err
	}
	ord := int(op.Ord)
	if ord >= len(nt.Templates) {
		return invalid("the notetype %d has no template %d", nt.id, ord)
	}
	if op.Front != nil {
		nt.Templates[ord].Front = *op.Front
	}
	if op.Back != nil {
		nt.Templates[ord].Back = *op.Back
	}
	if bad, problem := render.CheckTemplates(nt.Notetype); problem != nil {
		return invalid("template %d: %s", bad, problem.Error())
	}
	row, err := rows.One(e.db, "SELECT t.config, n.config FROM templates t, notetypes n WHERE t.ntid = ?1 AND t.ord = ?2 AND n.id = ?1", nt.id, ord)
	if err != nil {
		return err
	}
	template, err := legacy.EditTemplate(row[0].Bytes, op.Front, op.Back)
	if err != nil {
		return err
	}
	needs := make([]legacy.Requirement, len(nt.Templates))
	for i := range needs {
		needs[i].Kind, needs[i].Fields = render.Needs(nt.Notetype, i)
	}
	config, err := legacy.EditNotetype(row[1].Bytes, op.CSS, needs)
	if err != nil {
		return err
	}
	if err := e.exec("UPDATE templates SET config = ?, mtime_secs = 0, usn = 0 WHERE ntid = ? AND ord = ?", template, nt.id, ord); err != nil {
		return err
	}
	if err := e.exec("UPDATE notetypes SET config = ?2, "+touchedObject+" WHERE id = ?3", e.now.Unix(), config, nt.id); err != nil {
		return err
	}
	if op.Front == nil {
		return nil
	}
	return e.addCardsOfNotetype(nt)
}

// addCardsOfNotetype adds the missing cards of all notes of a notetype.
func (e *edit) addCardsOfNotetype(nt *notetype) error {
	notes, err := e.ids("SELECT id FROM notes WHERE mid = ?", nt.id)
	if err != nil {
		return err
	}
	for _, id := range notes {
		row, err := rows.One(e.db, "SELECT flds, tags FROM notes WHERE id = ?", id)
		if err != nil {
			return err
		}
		n := note{flds: row[0].String(), tags: row[1].String()}
		if notetext.CountFields(n.flds) != nt.fields {
			continue // damaged; the database check's business
		}
		if _, err := e.addMissingCards(id, nt, n); err != nil {
			return err
		}
	}
	return nil
}
