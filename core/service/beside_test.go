package service_test

import (
	"context"
	"errors"
	"path"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
)

const account = `{"account":{"endpoint":"http://h/","key":"k"}}`

// TestBeside makes calls while others wait for the network: where a host gives the turn to another task.
func TestBeside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		running, beside, params string
		want                    fault.Kind
	}{
		{"status", "status", account, fault.Busy},
		{"status", "sync", account, fault.Busy},
		{"status", "backups", `{}`, fault.Busy},
		{"status", "restore", `{"id":"x"}`, fault.Busy},
		{"status", "open", `{}`, fault.Busy},
		{"status", "close", `{}`, fault.Busy},
		{"sync", "status", account, fault.Busy},
		{"upload", "download", account, fault.Busy},
		{"status", "version", `{}`, 0},
		{"status", "deckTree", `{}`, 0},
		{"sync", "nextCards", `{"deckId":1,"count":3}`, 0},
		{"sync", "nextCards", `{"deckId":7}`, fault.NotFound},
		{"mediaSync", "nextCards", `{"deckId":1,"count":101}`, fault.InvalidInput},
		{"mediaSync", "nextCards", `{}`, fault.InvalidInput},
		{"sync", "auto", `{"event":"edited"}`, 0},
		{"status", "login", `{"endpoint":"http://h/","user":"u","password":"p"}`, fault.Offline},
		{"status", "mediaSync", account, fault.Offline},
		{"status", "getMedia", `{"account":{"endpoint":"http://h/","key":"k"},"name":"a.png"}`, fault.Offline},
		{"mediaSync", "status", account, fault.Offline},
		{"mediaSync", "mediaSync", account, fault.Busy},
		{"mediaSync", "getMedia", `{"account":{"endpoint":"http://h/","key":"k"},"name":"a.png"}`, fault.Offline},
		{"mediaSync", "close", `{}`, 0},
		{"mediaSync", "mediaCheck", `{}`, fault.Busy},
		{"status", "mediaCheck", `{}`, fault.Busy},
		{"status", "edit", `{"ops":[{"op":"setConfig","key":"k","value":1}]}`, 0},
		{"sync", "edit", `{"ops":[{"op":"setConfig","key":"k","value":1}]}`, 0},
		{"upload", "undo", `{}`, fault.NotFound},
		{"mediaSync", "edit", `{"ops":[{"op":"setConfig","key":"k","value":1}]}`, 0},
	} {
		t.Run(c.running+" "+c.beside, func(t *testing.T) {
			t.Parallel()
			var s *service.Service
			var got error
			asked := false
			s = newService(t, func(ctx context.Context, _ *host.Request) (*host.Response, error) {
				if !asked {
					asked = true
					_, got = s.Call(ctx, c.beside, []byte(c.params))
				}
				return nil, fault.New(fault.Offline, "no route")
			})
			if _, err := s.Call(t.Context(), "open", []byte(`{"create":true}`)); err != nil {
				t.Fatal(err)
			}
			_, err := s.Call(t.Context(), c.running, []byte(account))
			if fault.KindOf(err) != fault.Offline || !asked || fault.KindOf(got) != c.want {
				t.Errorf("%v, and beside it %v", err, got)
			}
			// Nothing is left locked.
			if _, err := s.Call(t.Context(), "backups", nil); err != nil {
				t.Error(err)
			}
			if _, err := s.Call(t.Context(), "mediaSync", []byte(account)); fault.KindOf(err) != fault.Offline {
				t.Error(err)
			}
		})
	}
}

// TestChangedBeside: a media call that fails does not take the note that the sync beside it has changed the collection.
func TestChangedBeside(t *testing.T) {
	t.Parallel()
	var s *service.Service
	beside := func(ctx context.Context) {
		_, err := s.Call(ctx, "getMedia", []byte(`{"account":{"endpoint":"http://h/","key":"k"},"name":"a.png"}`))
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Changed {
			t.Errorf("getMedia: %v", err)
		}
	}
	s = newService(t, func(ctx context.Context, r *host.Request) (*host.Response, error) {
		switch path.Base(r.URL) {
		case "meta":
			return answer(`{"mod":5,"scm":1800000000000,"usn":0,"ts":1800000000,"msg":"","cont":true,"hostNum":0,"media_usn":0}`), nil
		case "start": // by now it has recorded the day
			beside(ctx)
		}
		return nil, fault.New(fault.Offline, "no route")
	})
	if _, err := s.Call(t.Context(), "open", []byte(`{"create":true}`)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Call(t.Context(), "sync", []byte(account))
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Offline || !e.Changed {
		t.Errorf("%#v", err)
	}
	_, err = s.Call(t.Context(), "download", []byte(account))
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Changed {
		t.Errorf("the next call: %v", err)
	}
}

// TestChangedBefore: a call that fails does not report what one that went well has changed before.
func TestChangedBefore(t *testing.T) {
	t.Parallel()
	s := newService(t, func(_ context.Context, r *host.Request) (*host.Response, error) {
		if path.Base(r.URL) == "upload" {
			return answer("OK"), nil
		}
		return answer(`{"mod":5,"scm":1700000000000,"usn":0,"ts":1800000000,"msg":"","cont":true,"hostNum":0,"media_usn":0,"empty":true}`), nil
	})
	for _, c := range [][2]string{{"open", `{"create":true}`}, {"upload", account}} {
		if _, err := s.Call(t.Context(), c[0], []byte(c[1])); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Call(t.Context(), "restore", []byte(`{"id":"nothing"}`))
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.NotFound || e.Changed {
		t.Errorf("%#v", err)
	}
}

// answer is one of a server.
func answer(message string) *host.Response {
	return &host.Response{
		Status: 200, Header: map[string]string{"anki-original-size": strconv.Itoa(len(message))},
		Body: wire.NewCodec().Compress(nil, []byte(message)),
	}
}
