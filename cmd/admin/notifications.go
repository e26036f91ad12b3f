package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"gatehouse/lifecycle"
	"gatehouse/notice"
)

// templatesVariable names the folder of templates, as the worker's setting does.
const templatesVariable = "GATEHOUSE_TEMPLATES_DIR"

// preview writes what people and other systems are told of an event, with made-up
// data.
func preview(args []string, templates string, out io.Writer) error {
	event := lifecycle.EventType("")
	if len(args) > 0 {
		event, args = lifecycle.EventType(args[0]), args[1:]
	}
	if !slices.Contains(lifecycle.EventTypes(), event) {
		var names []string
		for _, known := range lifecycle.EventTypes() {
			names = append(names, string(known))
		}
		return fmt.Errorf("the event must be one of %s", strings.Join(names, ", "))
	}
	flags := flag.NewFlagSet("notifications preview", flag.ContinueOnError)
	lang, format := flags.String("lang", "en", ""), flags.String("format", "text", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	samples := notice.Samples(event)
	if *format == "webhook" {
		body, err := notice.Event(samples[0])
		if err != nil {
			return err
		}
		var shown bytes.Buffer
		if err := json.Indent(&shown, body, "", "  "); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, shown.String())
		return err
	}
	var replace fs.FS
	if templates != "" {
		replace = os.DirFS(templates)
	}
	words, err := notice.New(replace, "en")
	if err != nil {
		return err
	}
	message, err := words.Mail(samples[0], lifecycle.Recipient{Name: "Jane Doe", Language: *lang})
	switch {
	case err != nil:
	case *format == "html":
		_, err = io.WriteString(out, message.HTML)
	case *format == "text":
		_, err = fmt.Fprintf(out, "Subject: %s\n\n%s", message.Subject, message.Text)
	default:
		err = fmt.Errorf("--format must be text, html or webhook")
	}
	return err
}
