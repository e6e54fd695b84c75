package sqlitehost_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

func TestContract(t *testing.T) {
	t.Parallel()
	coretest.TestSQL(t, func(t *testing.T) host.SQL { return sqlitehost.New(t.TempDir()) })
}

func TestStorage(t *testing.T) {
	t.Parallel()
	coretest.TestStorage(t, func(t *testing.T) (host.SQL, host.Files) {
		dir := t.TempDir()
		return sqlitehost.New(dir), filehost.New(dir, sqlitehost.Settle)
	})
}
