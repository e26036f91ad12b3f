package notice

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/text/language"

	"gatehouse/lifecycle"
)

//go:embed templates
var embedded embed.FS

// builtIn is the folder of the templates that come with the program.
func builtIn() fs.FS {
	folder, err := fs.Sub(embedded, "templates")
	if err != nil {
		panic("notice: " + err.Error())
	}
	return folder
}

// The files that are no event's: what all mails have around them, and the words of
// one language.
const (
	baseName  = "base"
	wordsName = "words"
)

// fileName is EVENT.LANG.txt, EVENT.LANG.html, words.LANG.txt, base.txt or base.html.
var fileName = regexp.MustCompile(`^([a-z_]+)(?:\.([a-z]{2,3}(?:-[A-Z]{2})?))?\.(txt|html)$`)

// Renderer puts events into words. It is safe for concurrent use.
type Renderer struct {
	// mails has the templates of each event by language.
	mails map[lifecycle.EventType]map[string]mailTemplates
	// languages are those of an event, the default one first.
	languages map[lifecycle.EventType][]string
	matchers  map[lifecycle.EventType]language.Matcher
}

type mailTemplates struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// New returns a Renderer with the built-in templates. A file of the folder
// replace, which may be nil, takes the place of the built-in one of the same name,
// or brings a further language. standard is the language for whoever has said none, or one
// that an event has no templates in; it needs templates for every event.
//
// Every template is parsed and rendered with samples. The error names all that
// are wrong, a line each, by file and line.
func New(replace fs.FS, standard string) (*Renderer, error) {
	files, err := readFiles(replace)
	if err != nil {
		return nil, err
	}
	r := &Renderer{
		mails:     map[lifecycle.EventType]map[string]mailTemplates{},
		languages: map[lifecycle.EventType][]string{},
		matchers:  map[lifecycle.EventType]language.Matcher{},
	}
	var faults []error
	for _, event := range lifecycle.EventTypes() {
		faults = append(faults, r.load(event, files, standard))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return r, r.check()
}

// readFiles returns the text of every template by the name of its file.
func readFiles(replace fs.FS) (map[string]string, error) {
	files := map[string]string{}
	known := map[string]bool{baseName: true, wordsName: true}
	for _, event := range lifecycle.EventTypes() {
		known[string(event)] = true
	}
	for _, folder := range []fs.FS{builtIn(), replace} {
		if folder == nil {
			continue
		}
		entries, err := fs.ReadDir(folder, ".")
		if err != nil {
			return nil, fmt.Errorf("the folder of templates: %w", err)
		}
		for _, entry := range entries {
			name := entry.Name()
			if entry.IsDir() || !slices.Contains([]string{".txt", ".html"}, path.Ext(name)) {
				continue
			}
			parts := fileName.FindStringSubmatch(name)
			if parts == nil || !known[parts[1]] || (parts[1] == baseName) != (parts[2] == "") {
				return nil, fmt.Errorf("%s is the template of no event: names are EVENT.LANG.txt, EVENT.LANG.html, words.LANG.txt, base.txt and base.html", name)
			}
			text, err := fs.ReadFile(folder, name)
			if err != nil {
				return nil, fmt.Errorf("the template %s: %w", name, err)
			}
			files[name] = string(text)
		}
	}
	return files, nil
}

// load parses the templates of one event.
func (r *Renderer) load(event lifecycle.EventType, files map[string]string, standard string) error {
	languages := map[string]bool{}
	for name := range files {
		if parts := fileName.FindStringSubmatch(name); parts[1] == string(event) {
			languages[parts[2]] = true
		}
	}
	if !languages[standard] {
		return fmt.Errorf("%s.%s.txt is missing: every event needs the language that GATEHOUSE_LANGUAGE names", event, standard)
	}
	r.mails[event] = map[string]mailTemplates{}
	order := slices.Sorted(maps.Keys(languages))
	slices.SortStableFunc(order, func(a, b string) int {
		return boolOrder(a == standard, b == standard)
	})
	tags := make([]language.Tag, len(order))
	for i, lang := range order {
		parsed, err := parse(event, lang, files)
		if err != nil {
			return err
		}
		if tags[i], err = language.Parse(lang); err != nil {
			return fmt.Errorf("%s.%s.txt: %s is no language", event, lang, lang)
		}
		r.mails[event][lang] = parsed
	}
	r.languages[event], r.matchers[event] = order, language.NewMatcher(tags)
	return nil
}

// boolOrder puts what is true first.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func parse(event lifecycle.EventType, lang string, files map[string]string) (mailTemplates, error) {
	functions := functionsOf(lang)
	text := texttemplate.New(baseName + ".txt").Funcs(functions).Option("missingkey=zero")
	html := htmltemplate.New(baseName + ".html").Funcs(functions).Option("missingkey=zero")
	// What comes later may define anew what came before.
	for _, name := range []string{baseName + ".txt", wordsName + "." + lang + ".txt", string(event) + "." + lang + ".txt"} {
		content, ok := files[name]
		if !ok {
			return mailTemplates{}, fmt.Errorf("%s is missing", name)
		}
		if _, err := named(text, name).Parse(content); err != nil {
			return mailTemplates{}, err
		}
	}
	for _, name := range []string{baseName + ".html", wordsName + "." + lang + ".txt", string(event) + "." + lang + ".html"} {
		content, ok := files[name]
		if !ok {
			return mailTemplates{}, fmt.Errorf("%s is missing", name)
		}
		part := html
		if html.Name() != name {
			part = html.New(name)
		}
		if _, err := part.Parse(content); err != nil {
			return mailTemplates{}, err
		}
	}
	return mailTemplates{text: text, html: html}, nil
}

func named(t *texttemplate.Template, name string) *texttemplate.Template {
	if t.Name() == name {
		return t
	}
	return t.New(name)
}

// check renders every template with every sample.
func (r *Renderer) check() error {
	var faults []error
	for _, event := range lifecycle.EventTypes() {
		for _, lang := range slices.Sorted(maps.Keys(r.mails[event])) {
			for _, sample := range Samples(event) {
				_, err := r.render(sample, lang, lifecycle.Recipient{Name: "Jane Doe"})
				if err != nil {
					faults = append(faults, err)
					break
				}
			}
		}
	}
	return errors.Join(faults...)
}

// Message is a mail's text.
type Message struct {
	Subject, Text, HTML string
	// Language is a BCP 47 tag.
	Language string
}

// Mail puts an event into words for the person, in their language where there are
// templates in it.
func (r *Renderer) Mail(notice lifecycle.Notice, to lifecycle.Recipient) (Message, error) {
	matcher, ok := r.matchers[notice.Type]
	if !ok {
		return Message{}, fmt.Errorf("there are no templates for %q", string(notice.Type))
	}
	// What can't be read is the default.
	_, index := language.MatchStrings(matcher, to.Language)
	return r.render(notice, r.languages[notice.Type][index], to)
}

func (r *Renderer) render(notice lifecycle.Notice, lang string, to lifecycle.Recipient) (Message, error) {
	templates, ok := r.mails[notice.Type][lang]
	if !ok {
		return Message{}, fmt.Errorf("there are no templates for %q in %s", string(notice.Type), lang)
	}
	view := newView(notice, to, lang)
	var subject, text, html bytes.Buffer
	if err := templates.text.ExecuteTemplate(&subject, "subject", view); err != nil {
		return Message{}, err
	}
	if err := templates.text.Execute(&text, view); err != nil {
		return Message{}, err
	}
	view.Subject = line(subject.String())
	if err := templates.html.Execute(&html, view); err != nil {
		return Message{}, err
	}
	return Message{Subject: view.Subject, Text: tidy(text.String()), HTML: tidy(html.String()), Language: lang}, nil
}

// line is text as a header may have it: one line without control characters.
func line(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f || c == ' ' || c == 0x85 || c == 0x2028 || c == 0x2029 }), " ")
}

var blankLines = regexp.MustCompile(`\n[ \t\n]*\n`)

// tidy leaves one blank line where templates left several.
func tidy(text string) string {
	return strings.TrimSpace(blankLines.ReplaceAllString(text, "\n\n")) + "\n"
}
