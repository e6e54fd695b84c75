package wire

import "github.com/cardferry/cardferry/core/jsontext"

// The encoders of this file are a server's.

// AppendLogin appends the answer to hostKey.
func AppendLogin(dst []byte, key string) []byte {
	return append(jsontext.PutText(append(dst, '{'), "key", key), '}')
}

// AppendMeta appends the answer to meta. Our server's key follows if Slice is set.
func AppendMeta(dst []byte, m *Meta) []byte {
	dst = jsontext.PutInt(append(dst, '{'), "mod", m.Mod)
	dst = jsontext.PutInt(dst, "scm", m.Scm)
	dst = jsontext.PutInt(dst, "usn", int64(m.USN))
	dst = jsontext.PutInt(dst, "ts", m.TS)
	dst = jsontext.PutText(dst, "msg", m.Msg)
	dst = jsontext.PutBool(dst, "cont", m.Cont)
	dst = jsontext.PutInt(dst, "hostNum", int64(m.HostNum))
	dst = jsontext.PutBool(dst, "empty", m.Empty)
	dst = jsontext.PutInt(dst, "media_usn", int64(m.MediaUSN))
	if m.Slice > 0 {
		dst = append(jsontext.AppendKey(dst, "cardferry"), '{')
		dst = jsontext.PutInt(dst, "slice", int64(m.Slice))
		dst = jsontext.PutBool(dst, "keeps_backup", m.KeepsBackup)
		dst = append(jsontext.PutBool(dst, "events", m.Events), '}')
	}
	return append(dst, '}')
}

// AppendSanity appends the answer to sanityCheck2: the counts as they were compared, without the graves. server is nil
// if rows that no server may have made counting pointless.
func AppendSanity(dst []byte, ok bool, client Counts, server *Counts) []byte {
	status := "bad"
	if ok {
		status = "ok"
	}
	dst = jsontext.PutText(append(dst, '{'), "status", status)
	dst = appendCounts(jsontext.AppendKey(dst, "c"), client)
	dst = jsontext.AppendKey(dst, "s")
	if server == nil {
		return append(dst, "null}"...)
	}
	return append(appendCounts(dst, *server), '}')
}

func appendCounts(dst []byte, c Counts) []byte {
	dst = append(dst, "[[0,0,0]"...)
	for _, n := range c.fields() {
		dst = jsontext.AppendInt(append(dst, ','), *n)
	}
	return append(dst, ']')
}

// AppendFinish appends the answer to finish: the server's time in milliseconds.
func AppendFinish(dst []byte, millis int64) []byte { return jsontext.AppendInt(dst, millis) }
