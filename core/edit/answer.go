package edit

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/study"
)

// answerCard stores the answer to a card; what an answer does is study's.
func (e *edit) answerCard(op *Op) error {
	_, err := study.Answer(e.db, e.host.Clock, op.CardID, int(op.Button), op.TakenMs)
	if fault.KindOf(err) == fault.NotFound {
		return invalid("there is no card %d", op.CardID)
	}
	return err
}
