// Package serve runs the HTTP servers of a program until it is told to stop.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Listen opens the server's address and serves it in the background. What ends
// it before Stop, the address being taken included, is reported to failed.
func Listen(ctx context.Context, server *http.Server, failed func(error)) (stop func(context.Context) error, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", server.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", server.Addr, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("serving %s: %w", server.Addr, err))
		}
	}()
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		<-done
		return err
	}, nil
}

// Cause returns what ended ctx, nil if it was a signal.
func Cause(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Until calls try again and again, with growing pauses of at most five seconds,
// until it succeeds or ctx ends. Each failure is told to report.
func Until(ctx context.Context, try func(context.Context) error, report func(error)) error {
	pause := 250 * time.Millisecond
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		report(err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, 5*time.Second)
	}
}
