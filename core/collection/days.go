package collection

// daySeconds is the length of a day; the algorithms count with fixed offsets, so that all days are equal.
const daySeconds = 86400

// Days returns the number of the day at now, counted from crt, and when the next one begins; all times are Unix
// seconds, offsets minutes west of UTC, rollover the hour at which a day begins (§6).
//
// Three algorithms exist: files of the first scheduler count whole days since crt; those without a creation offset
// take the date of crt in today's zone; current ones take it in the zone of the creation. Before crt it is day 0.
func Days(crt, now int64, creationOffset *int, currentOffset int, schedVer int, rollover *int) (today, nextDay int64) {
	if schedVer != 2 || rollover == nil {
		today = max(now-crt, 0) / daySeconds
		return today, crt + (today+1)*daySeconds
	}
	hour := int64(*rollover) * 3600
	localDay := dayAt(now, currentOffset)
	boundary := localDay*daySeconds + hour + int64(currentOffset)*60
	if creationOffset == nil {
		created := dayAt(crt, currentOffset)*daySeconds + hour + int64(currentOffset)*60
		if boundary < now {
			boundary += daySeconds
		}
		return max(now-created, 0) / daySeconds, boundary
	}
	today = localDay - dayAt(crt, *creationOffset)
	if boundary > now {
		return max(today-1, 0), boundary
	}
	return max(today, 0), boundary + daySeconds
}

// dayAt returns the calendar date of t at an offset, as a number of days since 1970.
func dayAt(t int64, minutesWest int) int64 {
	local := t - int64(minutesWest)*60
	day := local / daySeconds
	if local%daySeconds < 0 {
		day--
	}
	return day
}
