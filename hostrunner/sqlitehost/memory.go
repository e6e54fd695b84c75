package sqlitehost

import (
	"context"

	"github.com/ncruces/go-sqlite3/ext/serdes"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/memdb"

	"github.com/cardferry/cardferry/core/host"
)

// CreateMemory makes a database of this process, in memory, with the given content; nil makes it empty. It takes
// ownership of content. The database stays until DeleteMemory and the last connection's Close.
func CreateMemory(name string, content []byte) {
	// memdb reads whole pages only, where a file may be cut off in one, or have bytes after the last.
	if part := len(content) % pageSize(content); part > 0 {
		content = append(content, make([]byte, pageSize(content)-part)...)
	}
	// A log has no place beside memory. memdb knows that of files whose two versions ask for one, and not if only that for readers does.
	if len(content) > 19 && content[18] <= 2 && content[19] == 2 {
		content[18], content[19] = 1, 1
	}
	memdb.Create(name, content)
}

// pageSize returns the page size that a file's header declares, the largest if it declares none.
func pageSize(file []byte) int {
	if len(file) >= 18 {
		if size := int(file[16])<<8 | int(file[17]); size >= 512 && size&(size-1) == 0 {
			return size
		}
	}
	return 1 << 16
}

// DeleteMemory takes away the name of a database in memory; connections to it go on.
func DeleteMemory(name string) { memdb.Delete(name) }

// OpenMemory opens a database that CreateMemory has made. Connections to one database block each other as they do with a
// rollback journal. fault.DamagedFile if the content is no database.
func OpenMemory(name string, mode host.OpenMode) (*DB, error) {
	how := inMemory
	if mode == host.ReadOnly {
		how = inMemoryReadOnly
	}
	return connect(context.Background(), "/"+name, how, newTask())
}

// MemoryBytes returns the content of a database in memory. It looks past the locks: nobody may be writing.
func MemoryBytes(name string) ([]byte, error) {
	file, _, err := vfs.Find("memdb").Open("/"+name, vfs.OPEN_MAIN_DB|vfs.OPEN_READONLY)
	if err != nil {
		return nil, convert(err, "read "+name)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, convert(err, "read "+name)
	}
	b := make([]byte, size)
	page := int64(pageSize(b)) // at most what the store reads at once
	for at := int64(0); at < size; at += page {
		if _, err := file.ReadAt(b[at:min(at+page, size)], at); err != nil {
			return nil, convert(err, "read "+name)
		}
	}
	return b, nil
}

// Bytes returns the content of the database as a file. It sees one consistent state.
func (d *DB) Bytes() (b []byte, err error) {
	defer guard(&err)
	if d.conn == nil {
		return nil, closedError()
	}
	b, err = serdes.Serialize(d.conn, "main")
	return b, d.fail(err, "copy database")
}
