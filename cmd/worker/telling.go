package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"gatehouse/activities"
	"gatehouse/config"
	"gatehouse/lifecycle"
	"gatehouse/mailer"
	"gatehouse/notice"
	"gatehouse/telemetry"
	"gatehouse/webhook"
)

// telling is what it takes to tell people and other systems.
type telling struct {
	words *notice.Renderer
	// mailer is nil where there is no mail server.
	mailer *mailer.Sender
	poster *webhook.Poster
}

// newTelling reads the templates, and tries them: a bad one stops the start.
func newTelling(cfg config.Worker) (*telling, error) {
	var replace fs.FS
	if dir := cfg.Telling.TemplatesDir; dir != "" {
		replace = os.DirFS(dir)
	}
	words, err := notice.New(replace, cfg.Telling.Language)
	if err != nil {
		return nil, fmt.Errorf("the templates of mails: %w", err)
	}
	t := &telling{words: words, poster: webhook.New(webhook.Options{
		AllowHTTP: cfg.Webhooks.AllowHTTP, Networks: cfg.Webhooks.AllowedNetworks,
	})}
	if cfg.Mail.Address == "" {
		return t, nil
	}
	t.mailer, err = mailer.New(mailer.Options{
		Address: cfg.Mail.Address, Security: mailer.Security(cfg.Mail.Security),
		User: cfg.Mail.User, Password: string(cfg.Mail.Password), From: cfg.Mail.From,
	})
	return t, err
}

// deliveries is what the steps of deliveries need.
func (t *telling) deliveries(rows activities.DeliveryStore, observer activities.DeliveryObserver, tracing *telemetry.Tracing) *activities.Deliveries {
	d := &activities.Deliveries{Store: rows, Words: t.words, Poster: tracedPoster{t.poster, tracing}, Observer: observer}
	if t.mailer != nil {
		d.Mailer = tracedMailer{t.mailer, tracing}
	}
	return d
}

// tracedMailer is a Mailer with a span for each mail.
type tracedMailer struct {
	next    activities.Mailer
	tracing *telemetry.Tracing
}

// Send implements activities.Mailer.
func (m tracedMailer) Send(ctx context.Context, mail lifecycle.Mail, begin func(context.Context) error) error {
	ctx, end := m.tracing.Outgoing(ctx, "mail")
	err := m.next.Send(ctx, mail, begin)
	end(err)
	return err
}

// tracedPoster is a Poster with a span for each posting.
type tracedPoster struct {
	next    activities.Poster
	tracing *telemetry.Tracing
}

// Post implements activities.Poster.
func (p tracedPoster) Post(ctx context.Context, posting lifecycle.Posting, begin func(context.Context) error) error {
	ctx, end := p.tracing.Outgoing(ctx, "webhook")
	err := p.next.Post(ctx, posting, begin)
	end(err)
	return err
}

func (t *telling) close() {
	t.poster.Close()
	if t.mailer != nil {
		_ = t.mailer.Close()
	}
}
