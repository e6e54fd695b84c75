package ankitest

import "os"

// needed is how much room a folder in memory must have to be used.
const needed = 4 << 30

// TempDir returns a folder of the test, in memory where that is possible: collections are flushed to disk after every
// transaction, which takes longer there than all the rest.
func TempDir(t TB) string {
	t.Helper()
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// tempDir makes a folder, in memory where that is possible.
func tempDir() (string, error) {
	base := ""
	if inMemory, free := memoryDir(); free >= needed {
		base = inMemory
	}
	return os.MkdirTemp(base, "ankitest-")
}
