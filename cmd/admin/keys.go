package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"gatehouse/auth"
	"gatehouse/lifecycle"
	"gatehouse/store"
)

func listKeys(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is not expected", args[0])
	}
	keys, err := s.SigningKeys(ctx)
	if err != nil {
		return err
	}
	at, signs := now(), false
	for _, key := range keys {
		state := "verifies"
		switch {
		case key.SignsFrom.After(at):
			state = "waits"
		case !signs:
			state, signs = "signs", true
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\t%s\n", key.KeyID, state, lifecycle.FormatTime(key.SignsFrom)); err != nil {
			return err
		}
	}
	return nil
}

func rotateKey(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("key rotate", flag.ContinueOnError)
	atOnce := flags.Bool("now", false, "")
	if err := parse(flags, args); err != nil {
		return err
	}
	key, err := auth.RotateKey(ctx, s, *atOnce)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\t%s\n", key.KeyID, lifecycle.FormatTime(key.SignsFrom))
	return err
}

func removeKey(ctx context.Context, s *store.Store, args []string, _ io.Writer) error {
	if len(args) != 1 {
		return errors.New("one key's id is needed")
	}
	return auth.RemoveKey(ctx, s, args[0])
}
