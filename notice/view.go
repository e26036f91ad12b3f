package notice

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/lifecycle"
)

// View is what templates see.
type View struct {
	lifecycle.Notice
	To       lifecycle.Recipient
	Language string
	// Subject is there in HTML alone.
	Subject string
	// Item is the approval item that the event is about, nil where it is about none
	// or that is gone; Position counts from 1, Of are all there are.
	Item         *lifecycle.NoticeItem
	Position, Of int
	// Before are the items that come before Item, After those behind it. Of an event
	// about a whole request, After are all.
	Before, After []lifecycle.NoticeItem
	// Last is true for the last item.
	Last bool
	// Former is true for who had the item and has it no more.
	Former bool
	// Groups are the records by source; Gone counts those that are not there any more.
	Groups []Group
	Gone   int
}

// Group is the records of one source.
type Group struct {
	Source  lifecycle.Named
	Records []lifecycle.NoticeRecord
}

func newView(n lifecycle.Notice, to lifecycle.Recipient, lang string) *View {
	v := &View{Notice: n, To: to, Language: lang, Gone: n.RecordCount - len(n.Records)}
	if n.Request != nil {
		v.Of, v.After = len(n.Request.Items), n.Request.Items
		for i, item := range n.Request.Items {
			if item.ID == n.ItemID {
				v.Item, v.Position, v.Last = &n.Request.Items[i], i+1, i+1 == v.Of
				v.Before, v.After = n.Request.Items[:i], n.Request.Items[i+1:]
			}
		}
	}
	if n.Move != nil {
		v.Former = n.Addressee == n.Move.From.ID && n.Addressee != n.Move.To.ID
	}
	for _, record := range n.Records {
		if last := len(v.Groups) - 1; last >= 0 && v.Groups[last].Source.ID == record.Source.ID {
			v.Groups[last].Records = append(v.Groups[last].Records, record)
			continue
		}
		v.Groups = append(v.Groups, Group{Source: record.Source, Records: []lifecycle.NoticeRecord{record}})
	}
	return v
}

// layouts are how days and times are written, where not by ISO 8601.
var layouts = map[string][2]string{
	"de": {"02.01.2006", "02.01.2006 15:04"},
}

// functionsOf are the functions of templates: day and time take a time or a text
// of RFC 3339 and write it in the language's way, in UTC; code makes a text of
// anything, an empty one of nothing, and lower does so in lower case.
func functionsOf(lang string) map[string]any {
	base, _, _ := strings.Cut(lang, "-")
	layout, ok := layouts[base]
	if !ok {
		layout = [2]string{time.DateOnly, "2006-01-02 15:04"}
	}
	write := func(value any, layout string) (string, error) {
		switch at := value.(type) {
		case nil:
			return "", nil
		case time.Time:
			return at.UTC().Format(layout), nil
		case string:
			for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
				if parsed, err := time.Parse(form, at); err == nil {
					return parsed.UTC().Format(layout), nil
				}
			}
			return at, nil
		}
		return "", fmt.Errorf("%T is no time", value)
	}
	return map[string]any{
		"day": func(value any) (string, error) { return write(value, layout[0]) },
		"time": func(value any) (string, error) {
			text, err := write(value, layout[1])
			if text != "" {
				text += " UTC"
			}
			return text, err
		},
		"code":  code,
		"lower": func(value any) string { return strings.ToLower(code(value)) },
	}
}

func code(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}
