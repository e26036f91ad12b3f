package main

import (
	"fmt"
	"io/fs"
	"os"

	"gatehouse/activities"
	"gatehouse/config"
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
	d := &activities.Deliveries{Store: rows, Words: t.words, Poster: t.poster, Observer: observer, Outgoing: tracing.Outgoing}
	if t.mailer != nil {
		// A nil *Mailer would be a Mailer.
		d.Mailer = t.mailer
	}
	return d
}

func (t *telling) close() {
	t.poster.Close()
	if t.mailer != nil {
		_ = t.mailer.Close()
	}
}
