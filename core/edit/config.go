package edit

import (
	"strconv"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
)

func (e *edit) setConfig(key string, value []byte) error {
	if key == "" {
		return invalid("the key is missing")
	}
	if key == "schedVer" { // with any other the reference opens the collection no more
		return invalid("schedVer cannot be set")
	}
	if value == nil {
		return invalid("the value is missing; null removes the key")
	}
	e.begun = nil
	if string(value) == "null" {
		return e.exec("DELETE FROM config WHERE key = ?", key)
	}
	if !jsontext.Valid(value) {
		return invalid("the value is not JSON")
	}
	return e.putConfig(key, jsontext.AppendCompact(nil, value))
}

// putConfig stores a value, unless it is there already.
func (e *edit) putConfig(key string, value []byte) error {
	old, err := rows.One(e.db, "SELECT val FROM config WHERE key = ?", key)
	if err != nil || old != nil && string(old[0].Bytes) == string(value) {
		return err
	}
	e.changed = true
	return collection.PutConfig(e.db, key, value, -1, e.now.Unix())
}

// configText returns the JSON text of a value, "" if there is none.
func (e *edit) configText(key string) (string, error) {
	row, err := rows.One(e.db, "SELECT val FROM config WHERE key = ?", key)
	if err != nil || row == nil {
		return "", err
	}
	return row[0].String(), nil
}

func (e *edit) configFlag(key string, otherwise bool) (bool, error) {
	text, err := e.configText(key)
	if v, ok := jsontext.Bool([]byte(text)); ok {
		return v, err
	}
	return otherwise, err
}

// takePosition returns the next position of a new card and moves it on.
func (e *edit) takePosition() (int64, error) {
	text, err := e.configText("nextPos")
	if err != nil {
		return 0, err
	}
	next, _ := jsontext.IntIn([]byte(text), 0, maxPosition+1)
	return min(next, maxPosition), e.putConfig("nextPos", strconv.AppendInt(nil, min(next, maxPosition)+1, 10))
}

// random returns a number from 0 to n-1.
func (e *edit) random(n int64) int64 {
	var b [4]byte
	e.host.Random.Random(b[:])
	v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
	return int64(v * uint64(n) >> 32)
}
