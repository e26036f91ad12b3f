// Command devstack runs Gatehouse with all it needs on one machine. The work is
// done by the package of the same name.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"gatehouse/devstack"
)

const usage = `devstack runs Gatehouse with all it needs on this machine.

  devstack up              Postgres, Temporal, api and worker, until Ctrl-C; a
                           second Ctrl-C kills what is still running
  devstack exec COMMAND…   COMMAND with a Postgres and a Temporal of its own,
                           removed afterwards; its exit code is passed on
  devstack tool NAME       the path of the program that tools/NAME pins, built
                           if need be
  devstack sample ROWS     a CSV file of so many people on standard output
  devstack clean           removes the state of "up"

The variables it reads are in docs/development.md.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	// Told of a closed pipe, writing to it fails and does not end the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, hurry, cancel := signals()
	defer cancel()
	code, err := dispatch(ctx, hurry, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "devstack:", err)
		return max(code, 1)
	}
	return code
}

// signals returns a context that ends with the first signal to stop, and one
// that ends with the second.
func signals() (ctx, hurry context.Context, cancel func()) {
	hurry, kill := context.WithCancel(context.Background())
	ctx, stop := context.WithCancel(hurry)
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for range received {
			if ctx.Err() != nil {
				kill()
			}
			stop()
		}
	}()
	return ctx, hurry, kill
}

func dispatch(ctx, hurry context.Context, args []string) (code int, err error) {
	switch {
	case len(args) == 1 && args[0] == "up":
		return 0, devstack.Up(ctx, hurry, os.Stdout)
	case len(args) > 1 && args[0] == "exec":
		if args[1] == "--" {
			args = args[1:]
		}
		if len(args) > 1 {
			return devstack.Exec(ctx, args[1:])
		}
	case len(args) == 2 && args[0] == "tool":
		root, err := devstack.ModuleRoot()
		if err != nil {
			return 1, err
		}
		path, err := devstack.Tool(ctx, root, args[1], os.Stderr)
		if err == nil {
			fmt.Println(path)
		}
		return 0, err
	case len(args) == 2 && args[0] == "sample":
		rows, err := strconv.Atoi(args[1])
		if err != nil || rows < 0 {
			return 2, fmt.Errorf("%q is no number of rows", args[1])
		}
		return 0, devstack.WriteSample(os.Stdout, rows, "john.roe", "jane.doe")
	case len(args) == 1 && args[0] == "clean":
		return 0, devstack.Clean(ctx, os.Stdout)
	}
	fmt.Fprint(os.Stderr, usage)
	return 2, nil
}
