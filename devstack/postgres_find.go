package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// oldestPostgres is the oldest major version that the schema works on.
const oldestPostgres = 14

// postgresBinaries is a directory with initdb and postgres.
type postgresBinaries struct {
	dir   string
	major int
}

var postgresVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// postgresDirs lists where PostgreSQL may be, in the order of preference.
func postgresDirs(ctx context.Context) []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	if path, err := exec.LookPath("pg_config"); err == nil {
		if out, err := exec.CommandContext(ctx, path, "--bindir").Output(); err == nil { //nolint:gosec // the pg_config of PATH
			dirs = append(dirs, string(bytes.TrimSpace(out)))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
		"/usr/pgsql-*/bin",          // Red Hat
		"/usr/libexec/postgresql*",  // Alpine
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, newestFirst(found)...)
	}
	return dirs
}

var digits = regexp.MustCompile(`\d+`)

// newestFirst sorts directories by the version number in their paths.
func newestFirst(dirs []string) []string {
	version := func(dir string) int {
		n, _ := strconv.Atoi(digits.FindString(dir))
		return n
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	return dirs
}

// findPostgres returns the first usable PostgreSQL in dirs, of the given major
// version unless that is 0. account is who is going to run it.
func findPostgres(ctx context.Context, dirs []string, major int, account *osUser) (postgresBinaries, bool) {
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		out, err := runCommand(ctx, command{
			path: filepath.Join(dir, "postgres"), args: []string{"--version"},
			env: plainEnviron(), dir: "/", user: account,
		})
		match := postgresVersion.FindStringSubmatch(out)
		if err != nil || match == nil {
			continue
		}
		found, _ := strconv.Atoi(match[1])
		if found < oldestPostgres || (major != 0 && found != major) {
			continue
		}
		return postgresBinaries{dir: dir, major: found}, true
	}
	return postgresBinaries{}, false
}

// obtainPostgres finds PostgreSQL for the data of dir, if there is some, and
// whom the server runs as. On Debian and Ubuntu root has it installed if there
// is none.
func obtainPostgres(ctx context.Context, dir string, say sayFunc) (postgresBinaries, *osUser, error) {
	var (
		data  string
		major int
	)
	if home := clusterHome(dir); home != "" {
		data = filepath.Join(home, "data")
		major = clusterVersion(data)
	}
	find := func() (found postgresBinaries, account *osUser, ok bool, err error) {
		if account, err = postgresAccount(data); err != nil {
			return found, nil, false, err
		}
		found, ok = findPostgres(ctx, postgresDirs(ctx), major, account)
		return found, account, ok, nil
	}
	found, account, ok, err := find()
	if err != nil || ok {
		return found, account, err
	}
	if major != 0 {
		return found, nil, fmt.Errorf("the data was written by PostgreSQL %d, which is not installed: install it, or remove the data with `make clean-state`", major)
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return found, nil, fmt.Errorf("PostgreSQL %d or newer is needed and not found: %s, or set GATEHOUSE_DATABASE_URL to a server", oldestPostgres, howToInstall())
	}
	if err := installPostgres(ctx, apt, "/etc/postgresql-common", say); err != nil {
		return found, nil, err
	}
	// The account is chosen anew: the package has made the user postgres.
	found, account, ok, err = find()
	if err == nil && !ok {
		err = fmt.Errorf("the package postgresql is installed, but holds no PostgreSQL of version %d or newer", oldestPostgres)
	}
	return found, account, err
}

func howToInstall() string {
	for _, manager := range []struct{ program, line string }{
		{"apt-get", "run `sudo apt-get install postgresql`"},
		{"brew", "run `brew install postgresql@17`"},
		{"dnf", "run `sudo dnf install postgresql-server`"},
		{"apk", "run `apk add postgresql`"},
		{"pacman", "run `sudo pacman -S postgresql`"},
	} {
		if _, err := exec.LookPath(manager.program); err == nil {
			return manager.line
		}
	}
	return "install it with your package manager"
}

// installPostgres installs the distribution's package. The package would make
// and start a cluster of its own on port 5432; a drop-in in the configuration
// of postgresql-common keeps it from that while it is being installed.
func installPostgres(ctx context.Context, apt, config string, say sayFunc) (err error) {
	say("PostgreSQL is not installed: installing the package postgresql (a minute or two)")
	dropIns := filepath.Join(config, "createcluster.d")
	dropIn := filepath.Join(dropIns, "gatehouse-devstack.conf")
	if err := os.MkdirAll(dropIns, 0o755); err != nil { //nolint:gosec // a directory of /etc
		return err
	}
	if err := os.WriteFile(dropIn, []byte("create_main_cluster = false\n"), 0o644); err != nil { //nolint:gosec // read by the package's scripts
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(dropIn)) }()
	env := append(plainEnviron(), "DEBIAN_FRONTEND=noninteractive", "UCF_FORCE_CONFFOLD=1")
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	for _, args := range [][]string{
		{"update", "-q"},
		{"install", "-q", "-y", "--no-install-recommends", "postgresql"},
	} {
		if out, err := runCommand(ctx, command{path: apt, args: args, env: env, dir: "/"}); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, lastLines(out, 8))
		}
	}
	return nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}

// plainEnviron is an environment that no setting of the user reaches.
func plainEnviron() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "HOME=/"}
}

// postgresAccount is whom the server runs as: PostgreSQL refuses to run as
// root, so root picks an unprivileged account; nil is ourselves. Data that is
// there, if data is not empty, is its owner's, whichever account would be picked
// today.
func postgresAccount(data string) (*osUser, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is ourselves
	}
	if data != "" {
		return ownerOf(data)
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
		if errUID != nil || errGID != nil || uid == 0 {
			continue
		}
		return &osUser{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody: run as another user")
}

// ownerOf is the account that made the data. Its user may have been removed, so
// a number will do.
func ownerOf(data string) (*osUser, error) {
	info, err := os.Stat(data)
	if err != nil {
		return nil, err
	}
	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok || status.Uid == 0 {
		return nil, fmt.Errorf("%s belongs to root, as whom PostgreSQL does not run: give it to another user, or remove it with `make clean-state`", data)
	}
	name := strconv.FormatUint(uint64(status.Uid), 10)
	if account, err := user.LookupId(name); err == nil {
		name = account.Username
	}
	return &osUser{name: name, uid: status.Uid, gid: status.Gid}, nil
}

// canEnter reports whether the account can reach the directory.
func canEnter(ctx context.Context, dir string, account *osUser) bool {
	if account == nil {
		return true
	}
	_, err := runCommand(ctx, command{
		path: "/bin/sh", args: []string{"-c", `cd -- "$1"`, "sh", dir},
		env: plainEnviron(), dir: "/", user: account,
	})
	return err == nil
}
