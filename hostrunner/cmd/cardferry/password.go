package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"golang.org/x/term"
)

// maxPassword bounds what is read as a password.
const maxPassword = 64 << 10

// password comes from CARDFERRY_PASSWORD, else from standard input: one line, asked for on a terminal.
func (a *app) password() (string, error) {
	p := os.Getenv("CARDFERRY_PASSWORD")
	if p == "" {
		var err error
		if p, err = a.askPassword(); err != nil {
			return "", err
		}
	}
	if p == "" {
		return "", fault.New(fault.InvalidInput, "there is no password").
			WithHint("Give it as one line on standard input, or in CARDFERRY_PASSWORD.")
	}
	return p, nil
}

// askPassword reads a password. A signal ends it, although the read goes on until the program ends.
func (a *app) askPassword() (string, error) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	restore := func() {}
	read := func() (string, error) { return readLine(a.in) }
	if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fd := int(f.Fd())
		if state, err := term.GetState(fd); err == nil {
			restore = func() { _ = term.Restore(fd, state) }
		}
		read = func() (string, error) {
			fmt.Fprint(a.out.err, "Password: ")
			b, err := term.ReadPassword(fd)
			fmt.Fprintln(a.out.err)
			if err == io.EOF { // Ctrl-D
				err = nil
			}
			return string(b), err
		}
	}
	go func() {
		line, err := read()
		answers <- answer{line, err}
	}()
	select {
	case r := <-answers:
		return r.line, fault.Wrap(fault.InvalidInput, r.err, "read the password")
	case <-a.ctx.Done():
		restore()
		return "", fault.New(fault.Cancelled, "cancelled")
	}
}

// readLine reads one line without its end; the end of the input ends it as well.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPassword)).ReadString('\n')
	if err == io.EOF {
		if err = nil; len(line) == maxPassword {
			err = fmt.Errorf("it is longer than %d bytes", maxPassword)
		}
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}
