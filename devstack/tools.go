package devstack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// ModuleRoot finds the root of the module gatehouse, upwards from the working
// directory: a test runs in the directory of its package.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(raw), "module gatehouse\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside a checkout of gatehouse: no go.mod of the module gatehouse in this directory or above")
		}
		dir = parent
	}
}

// Tool returns the path of the program that tools/<name>/go.mod pins, building
// it into .tools at the module's root if it is not there yet. The directory's
// name has the version and the Go version in it, so a new pin is built anew and
// nothing is built twice; processes that need the same tool at the same time
// wait for one of them to build it. log is told when a build begins and why it
// is worth waiting; nil for silence.
func Tool(ctx context.Context, root, name string, log io.Writer) (string, error) {
	say := sayTo(log)
	source := filepath.Join(root, "tools", name)
	pin, err := readPin(filepath.Join(source, "go.mod"))
	if err != nil {
		return "", err
	}
	program := path.Base(pin.pkg)
	dir := filepath.Join(root, ".tools", fmt.Sprintf("%s-%s-%s", name, pin.version, goMinor(runtime.Version())))
	target := filepath.Join(dir, program)
	if isProgram(target) {
		return target, nil
	}
	lock, err := waitLock(ctx, dir+".lock", func() {
		say("waiting for another process that builds %s", name)
	})
	if err != nil {
		return "", err
	}
	defer lock.release()
	if isProgram(target) {
		return target, nil
	}
	began := time.Now()
	say("building %s %s into %s; the first time this takes some minutes", name, pin.version, dir)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	fresh := target + ".new"
	if err := goBuild(ctx, source, false, nil, "-trimpath", "-ldflags=-s -w", "-o", fresh, pin.pkg); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	if err := os.Rename(fresh, target); err != nil {
		return "", err
	}
	say("%s is built (%s)", name, time.Since(began).Round(time.Second))
	return target, nil
}

// pin is what a go.mod of tools/ says: a program and the version of its module.
type pin struct{ pkg, version string }

// readPin reads the tool line of a go.mod and the version required of the
// module that holds it.
func readPin(file string) (pin, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return pin{}, err
	}
	var found pin
	versions := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[0] == "tool" {
			found.pkg = fields[1]
			continue
		}
		if len(fields) == 3 && fields[0] == "require" {
			fields = fields[1:]
		}
		if len(fields) == 2 && strings.HasPrefix(fields[1], "v") {
			versions[fields[0]] = fields[1]
		}
	}
	if found.pkg == "" {
		return pin{}, fmt.Errorf("%s has no tool line", file)
	}
	for module := found.pkg; module != "."; module = path.Dir(module) {
		if version, ok := versions[module]; ok {
			found.version = version
			return found, nil
		}
	}
	if strings.HasPrefix(found.pkg, "gatehouse/") {
		found.version, err = sourceVersion(filepath.Dir(file))
		return found, err
	}
	return pin{}, fmt.Errorf("%s requires no module that holds %s", file, found.pkg)
}

// sourceVersion stands for the version of a tool whose source is ours: a sum
// over its files.
func sourceVersion(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", filepath.Base(file), len(raw), raw)
	}
	return "src" + hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

// goMinor shortens go1.26.8 to go1.26.
func goMinor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// goBuild runs go build in dir. Flags that the caller's environment has for
// other builds are dropped.
func goBuild(ctx context.Context, dir string, cgo bool, env []string, args ...string) error {
	program, err := exec.LookPath("go")
	if err != nil {
		return errors.New("the go command is not on PATH")
	}
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"GOFLAGS", "GOWORK", "GOOS", "GOARCH", "CGO_ENABLED"}, name)
	})
	environ = append(environ, "GOWORK=off")
	if !cgo {
		environ = append(environ, "CGO_ENABLED=0")
	}
	out, err := runCommand(ctx, command{
		path: program, args: append([]string{"build"}, args...),
		env: append(environ, env...), dir: dir,
	})
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, lastLines(out, 20))
	}
	return nil
}

// Build builds programs of cmd/ into dir, with the race detector if asked.
func Build(ctx context.Context, root, dir string, race bool, programs ...string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	args := []string{"-o", dir + string(filepath.Separator)}
	if race {
		args = append(args, "-race")
	}
	for _, program := range programs {
		args = append(args, "./cmd/"+program)
	}
	return goBuild(ctx, root, race, nil, args...)
}
