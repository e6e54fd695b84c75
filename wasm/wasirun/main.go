// Command wasirun runs a GOOS=wasip1 test program in wazero, the runtime that hosts the guest. It is for go test:
//
//	GOOS=wasip1 GOARCH=wasm go test -exec "$PWD/wasirun" ./core/wire
//
// The program sees the whole file system and starts in the working directory, as the tests read their testdata.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

func main() {
	code, err := run(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "wasirun:", err)
		code = 1
	}
	os.Exit(code)
}

// run runs the program args[0] with its arguments and returns its exit code.
func run(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("usage: wasirun PROGRAM ARG…")
	}
	file, err := os.ReadFile(args[0])
	if err != nil {
		return 0, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	r := wazero.NewRuntimeWithConfig(ctx, config())
	defer r.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return 0, err
	}
	_, err = r.InstantiateWithConfig(ctx, file, wazero.NewModuleConfig().
		WithArgs(args...).WithEnv("PWD", dir).WithEnv("TMPDIR", os.TempDir()).
		WithFSConfig(wazero.NewFSConfig().WithDirMount("/", "/")).
		WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr).
		WithRandSource(rand.Reader).WithSysWalltime().WithSysNanotime().WithSysNanosleep())
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return int(exit.ExitCode()), nil
	}
	return 0, err
}

// config keeps compiled programs: go test runs the same one again while nothing has changed.
func config() wazero.RuntimeConfig {
	c := wazero.NewRuntimeConfig()
	dir, err := os.UserCacheDir()
	if err != nil {
		return c
	}
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "cardferry", "test"))
	if err != nil {
		return c
	}
	return c.WithCompilationCache(cache)
}
