package legacy

import "github.com/cardferry/cardferry/core/fault"

// PackageFile is an entry of the list of media files in a collection package (package colpkg).
type PackageFile struct {
	Name string
	Size int64
	SHA1 []byte // empty in packages that do not have it
	// Member is the number of the member with the content, -1 for the entry's own place in the list.
	Member int64
}

// PackageVersion reads the member "meta" of a package.
func PackageVersion(b []byte) (version int64, err error) {
	for m := newMessage(b, &err); m.next(); {
		if m.num == 1 {
			m.int32(&version)
		}
	}
	return version, err
}

// AppendPackageVersion appends the member "meta".
func AppendPackageVersion(dst []byte, version int64) []byte { return putInt(dst, 1, version) }

// PackageFiles calls yield with each file of a package's list. SHA1 aliases b.
func PackageFiles(b []byte, yield func(PackageFile) error) (err error) {
	for m := newMessage(b, &err); m.next(); {
		if m.num != 1 || !m.is(wireBytes) {
			continue
		}
		f := PackageFile{Member: -1}
		for e := newMessage(m.body, &err); e.next(); {
			switch e.num {
			case 1:
				e.string(&f.Name)
			case 2:
				e.uint32(&f.Size)
			case 3:
				e.bytes(&f.SHA1)
			case 255:
				e.uint32(&f.Member)
			}
		}
		if err != nil {
			break
		}
		if len(f.SHA1) != 0 && len(f.SHA1) != 20 {
			return fault.New(fault.DamagedFile, "a checksum of %d bytes", len(f.SHA1))
		}
		if yerr := yield(f); yerr != nil {
			return yerr
		}
	}
	return err
}

// AppendPackageFile appends an entry of the list.
func AppendPackageFile(dst []byte, f PackageFile) []byte {
	var b []byte
	b = putBytes(b, 1, f.Name)
	b = putInt(b, 2, f.Size)
	b = putBytes(b, 3, f.SHA1)
	return putMessage(dst, 1, b)
}
