package syncserver

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/cardferry/cardferry/core/fault"
)

// Passwords is how new passwords are hashed (argon2id) and how old hashes are checked: ours, and those of the reference
// server's settings (PBKDF2, with PASSWORDS_HASHED). Both are kept as PHC strings.
type Passwords struct {
	Memory uint32 // KiB; 19,456 by default, which OWASP recommends with two passes
	Passes uint32 // 2 by default
	// Random fills salts; the system's source by default.
	Random func(p []byte)
	// places has an element for every hash that is being computed, since each takes its memory.
	places chan struct{}
	// dummy is checked where there is no hash to check, so that the time does not tell that the user does not exist.
	dummy argonHash
	// dummyPBKDF2 is the same for servers with such hashes.
	dummyPBKDF2 *pbkdf2Hash
}

// hashedAtOnce is how many hashes are computed at once.
const hashedAtOnce = 4

func (p *Passwords) init() {
	if p.Memory == 0 {
		p.Memory = 19 << 10
	}
	if p.Passes == 0 {
		p.Passes = 2
	}
	if p.Random == nil {
		p.Random = random{}.Random
	}
	p.places = make(chan struct{}, hashedAtOnce)
	p.dummy = argonHash{p.Memory, p.Passes, 1, make([]byte, saltLen), make([]byte, hashLen)}
}

const (
	saltLen = 16
	hashLen = 32
)

// argonHash is a hash of argon2id.
type argonHash struct {
	memory, passes uint32
	threads        uint8
	salt, hash     []byte
}

func (h *argonHash) matches(password string) bool {
	got := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.threads, uint32(len(h.hash)))
	return subtle.ConstantTimeCompare(got, h.hash) == 1
}

// pbkdf2Hash is a hash of PBKDF2.
type pbkdf2Hash struct {
	with       func() hash.Hash
	iterations int
	salt, hash []byte
}

func (h *pbkdf2Hash) matches(password string) bool {
	got, err := pbkdf2.Key(h.with, password, h.salt, h.iterations, len(h.hash))
	return err == nil && subtle.ConstantTimeCompare(got, h.hash) == 1
}

// Hash returns the verifier of a password.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if err := p.take(ctx); err != nil {
		return "", err
	}
	defer p.give()
	salt := make([]byte, saltLen)
	p.Random(salt)
	sum := argon2.IDKey([]byte(password), salt, p.Passes, p.Memory, 1, hashLen)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, p.Memory, p.Passes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// Check reports whether the password is that of the verifier. "" is that of nobody, and takes as long.
func (p *Passwords) Check(ctx context.Context, password, verifier string) (bool, error) {
	argon, pb := &p.dummy, p.dummyPBKDF2
	real, err := parseVerifier(verifier)
	if verifier != "" && err != nil {
		return false, err
	}
	if err := p.take(ctx); err != nil {
		return false, err
	}
	defer p.give()
	switch v := real.(type) {
	case *argonHash:
		argon = v
	case *pbkdf2Hash:
		pb = v
	}
	ok := argon.matches(password) && argon != &p.dummy
	if pb != nil {
		if pb.matches(password) && pb != p.dummyPBKDF2 {
			ok = true
		}
	}
	return ok, nil
}

func (p *Passwords) take(ctx context.Context) error {
	select {
	case p.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Passwords) give() { <-p.places }

// parseVerifier reads a PHC string: *argonHash or *pbkdf2Hash. Limits keep a setting from stopping the server.
func parseVerifier(text string) (any, error) {
	bad := fault.New(fault.InvalidInput, "not the hash of a password in PHC format (argon2id or pbkdf2)")
	parts := strings.Split(text, "$")
	if len(parts) < 4 || parts[0] != "" {
		return nil, bad
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[len(parts)-2])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[len(parts)-1])
	if err1 != nil || err2 != nil || len(sum) < 16 || len(sum) > 64 {
		return nil, bad
	}
	switch parts[1] {
	case "argon2id":
		h := &argonHash{salt: salt, hash: sum}
		n, err := fmt.Sscanf(strings.Join(parts[2:4], "$"), "v=19$m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.threads)
		if n != 3 || err != nil || len(parts) != 6 || h.memory > 1<<20 || h.passes < 1 || h.passes > 100 || h.threads < 1 {
			return nil, bad
		}
		return h, nil
	case "pbkdf2-sha256", "pbkdf2-sha512", "pbkdf2":
		h := &pbkdf2Hash{with: sha256.New, salt: salt, hash: sum}
		if parts[1] == "pbkdf2-sha512" {
			h.with = sha512.New
		} else {
			h.iterations = 600_000 // what the reference takes if the hash does not say
		}
		if len(parts) == 4 {
			parts = slices.Insert(parts, 2, "")
		}
		for setting := range strings.SplitSeq(parts[2], ",") {
			if n, err := fmt.Sscanf(setting, "i=%d", &h.iterations); n == 1 && err == nil {
				break
			}
		}
		if len(parts) != 5 || h.iterations < 1 || h.iterations > 10_000_000 {
			return nil, bad
		}
		return h, nil
	}
	return nil, bad
}
