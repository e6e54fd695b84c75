package hostrunner

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/cardferry/cardferry/wasm/abi"
)

// maxPages bounds a guest's memory, in pages of 64 KiB: an endless allocation ends the guest and not this machine.
// A guest normally uses a tenth of it.
const maxPages = 256 << 20 >> 16

// guest is the compiled guest file with the modules that it imports from.
type guest struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	users    atomic.Int32 // its Runtime and the instances
}

// compile compiles the guest, or takes it from the cache in cacheDir. A cache that cannot be used costs time only, and if it is damaged
// only once: it is made anew.
func compile(ctx context.Context, file []byte, cacheDir string) (*guest, error) {
	if cacheDir != "" {
		g, err := compileCached(ctx, file, cacheDir)
		if err != nil && emptied(cacheDir) {
			g, err = compileCached(ctx, file, cacheDir)
		}
		if err == nil {
			return g, nil
		}
	}
	return compileWith(ctx, file, wazero.NewRuntimeConfig())
}

func compileCached(ctx context.Context, file []byte, cacheDir string) (*guest, error) {
	cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
	if err != nil {
		return nil, err
	}
	g, err := compileWith(ctx, file, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	if err != nil {
		return nil, errors.Join(err, cache.Close(ctx))
	}
	return g, nil
}

// emptied removes the compiled modules from a cache and reports whether there were any.
func emptied(cacheDir string) (removed bool) {
	modules, _ := filepath.Glob(filepath.Join(cacheDir, "wazero-*", strings.Repeat("[0-9a-f]", 2*sha256.Size)))
	for _, module := range modules {
		removed = os.Remove(module) == nil || removed
	}
	return removed
}

func compileWith(ctx context.Context, file []byte, config wazero.RuntimeConfig) (*guest, error) {
	r := wazero.NewRuntimeWithConfig(ctx, config.WithMemoryLimitPages(maxPages))
	g, err := build(ctx, r, file)
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return g, nil
}

func build(ctx context.Context, r wazero.Runtime, file []byte) (*guest, error) {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	lent := r.NewHostModuleBuilder(abi.Module)
	for _, f := range imports {
		lent.NewFunctionBuilder().WithGoModuleFunction(f.function(), f.params, f.results).Export(f.name)
	}
	if _, err := lent.Instantiate(ctx); err != nil {
		return nil, err
	}
	compiled, err := r.CompileModule(ctx, file)
	if err != nil {
		return nil, err
	}
	g := &guest{runtime: r, compiled: compiled}
	g.use()
	return g, nil
}

// instantiate makes an instance whose memory is outside of this program's heap.
func (g *guest) instantiate(ctx context.Context, config wazero.ModuleConfig) (api.Module, error) {
	return g.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(allocate)), g.compiled, config)
}

func (g *guest) use() { g.users.Add(1) }

// release ends a use. The last one releases the guest's code: whoever still ran it would take the whole program down.
func (g *guest) release(ctx context.Context) error {
	if g.users.Add(-1) > 0 {
		return nil
	}
	return g.runtime.Close(ctx)
}

// lenderOf returns the lender of the instance that calls an import. Host functions are shared by all instances, so it travels in the
// context of the call of an export.
func lenderOf(ctx context.Context) *lender { return ctx.Value(lenderKey{}).(*lender) }

type lenderKey struct{}

// lenderContext is a context that has nothing but a lender, because it is asked at each import.
type lenderContext struct {
	context.Context
	lender *lender
}

func (c lenderContext) Value(key any) any {
	if _, ok := key.(lenderKey); ok {
		return c.lender
	}
	return c.Context.Value(key)
}

// function adapts an import to wazero.
func (f imported) function() api.GoModuleFunction {
	return api.GoModuleFunc(func(ctx context.Context, mod api.Module, stack []uint64) {
		r := f.run(lenderOf(ctx), memory{mod.Memory()}, stack)
		if len(f.results) > 0 {
			stack[0] = r
		}
	})
}
