package colsync

import "github.com/cardferry/cardferry/core/jsontext"

// The results in JSON, as their struct tags have it; a test compares both. Hosts decode them with encoding/json, which
// the guest does not carry.

// AppendJSON appends r as JSON.
func (r LoginResult) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "endpoint", r.Endpoint)
	dst = jsontext.PutText(dst, "user", r.User)
	return append(jsontext.PutText(dst, "key", r.Key), '}')
}

// AppendJSON appends r as JSON.
func (r StatusResult) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "required", string(r.Required))
	dst = jsontext.PutBool(dst, "upload_ok", r.UploadOK)
	dst = jsontext.PutBool(dst, "download_ok", r.DownloadOK)
	dst = jsontext.PutInt(dst, "last_sync", r.LastSync)
	dst = jsontext.PutInt(dst, "pending", r.Pending)
	return append(jsontext.PutText(dst, "new_endpoint", r.NewEndpoint), '}')
}

// AppendJSON appends r as JSON.
func (r Report) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "required", string(r.Required))
	dst = jsontext.AppendCounts(jsontext.AppendKey(dst, "sent"), r.Sent)
	dst = jsontext.AppendCounts(jsontext.AppendKey(dst, "received"), r.Received)
	dst = jsontext.PutInt(dst, "round_trips", int64(r.RoundTrips))
	dst = jsontext.PutText(dst, "new_endpoint", r.NewEndpoint)
	dst = jsontext.PutText(dst, "message", r.Message)
	if r.Bytes != 0 {
		dst = jsontext.PutInt(dst, "bytes", r.Bytes)
	}
	if r.Backup != "" {
		dst = jsontext.PutText(dst, "backup", r.Backup)
	}
	dst = jsontext.PutInt(dst, "media_usn", int64(r.MediaUSN))
	dst = jsontext.PutInt(dst, "usn", r.USN)
	return append(jsontext.PutBool(dst, "events", r.Events), '}')
}

// AppendJSON appends r as JSON.
func (r TransferReport) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutInt(append(dst, '{'), "bytes", r.Bytes)
	dst = jsontext.PutText(dst, "backup", r.Backup)
	dst = jsontext.PutText(dst, "new_endpoint", r.NewEndpoint)
	dst = jsontext.PutText(dst, "message", r.Message)
	dst = jsontext.PutInt(dst, "round_trips", int64(r.RoundTrips))
	if len(r.Lost) > 0 {
		dst = jsontext.AppendCounts(jsontext.AppendKey(dst, "lost"), r.Lost)
	}
	return append(dst, '}')
}
