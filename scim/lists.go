package scim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

const (
	// defaultCount and maxCount are how many results a page has.
	defaultCount = 100
	maxCount     = 250
	// maxCountWithMembers is how many groups a page has if it shows their members,
	// of which each may have thousands.
	maxCountWithMembers = 20
)

// page is what a list was asked for.
type page struct {
	query filter.Query
	shown selection
	// start is the place of the first result, from 1.
	start int
}

// search is what a list is asked for, by a query or by the body of a .search.
type search struct {
	filter, sortBy, sortOrder string
	startIndex, count         string
	attributes, excluded      []string
}

// listResponse is RFC 7644 §3.4.2.
type listResponse struct {
	Schemas      []string         `json:"schemas"`
	TotalResults int              `json:"totalResults"`
	StartIndex   int              `json:"startIndex"`
	ItemsPerPage int              `json:"itemsPerPage"`
	Resources    []map[string]any `json:"Resources"`
}

// readPage reads what the list is asked for.
func (s *server) readPage(c *call, r resource, schema filter.Schema) (page, error) {
	asked, err := s.readSearch(c)
	if err != nil {
		return page{}, err
	}
	var p page
	if p.query.Where, err = r.parseFilter(asked.filter, schema); err != nil {
		return page{}, err
	}
	if p.query.Sort, err = r.readSort(asked, schema); err != nil {
		return page{}, err
	}
	if p.shown, err = r.selectAttributes(asked.attributes, asked.excluded); err != nil {
		return page{}, err
	}
	if p.start, err = readNumber("startIndex", asked.startIndex, 1); err != nil {
		return page{}, err
	}
	if p.query.Limit, err = readNumber("count", asked.count, defaultCount); err != nil {
		return page{}, err
	}
	p.start = min(max(1, p.start), filter.MaxOffset)
	p.query.Offset, p.query.Limit = p.start-1, min(max(0, p.query.Limit), maxCount)
	p.query.Count = true
	return p, nil
}

func readNumber(name, text string, absent int) (int, error) {
	if text == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, bad(invalidValue, name+" must be a whole number.")
	}
	return int(n), nil
}

func (r resource) readSort(asked search, schema filter.Schema) ([]filter.Order, error) {
	descending := strings.EqualFold(asked.sortOrder, "descending")
	if asked.sortOrder != "" && !descending && !strings.EqualFold(asked.sortOrder, "ascending") {
		return nil, bad(invalidValue, "sortOrder must be ascending or descending.")
	}
	if asked.sortBy == "" {
		return nil, nil
	}
	name, _ := r.local(asked.sortBy)
	if a, ok := r.attribute(name); ok && a.MultiValued {
		name += ".value"
	}
	order, ok := schema.SortBy(name, descending)
	if !ok {
		return nil, bad(invalidPath, "There is no order by this attribute.")
	}
	return []filter.Order{order}, nil
}

// readSearch takes the parameters from where they are.
func (s *server) readSearch(c *call) (search, error) {
	if c.r.Method == http.MethodGet {
		return search{
			filter: c.query.Get("filter"), sortBy: c.query.Get("sortBy"), sortOrder: c.query.Get("sortOrder"),
			startIndex: c.query.Get("startIndex"), count: c.query.Get("count"),
			attributes: names(c.query.Get("attributes")), excluded: names(c.query.Get("excludedAttributes")),
		}, nil
	}
	body, err := s.body(c, messageSearch)
	if err != nil {
		return search{}, err
	}
	r := newReader(body)
	text := func(name string) string {
		if value := r.text(name); value != nil {
			return *value
		}
		return ""
	}
	asked := search{
		filter: text("filter"), sortBy: text("sortBy"), sortOrder: text("sortOrder"),
		startIndex: r.number("startIndex"), count: r.number("count"),
		attributes: r.texts("attributes"), excluded: r.texts("excludedAttributes"),
	}
	return asked, r.faults.Err()
}

// number is a number as text, empty where there is none.
func (r reader) number(name string) string {
	switch v := r.object[strings.ToLower(name)].(type) {
	case nil:
	case json.Number:
		return v.String()
	default:
		r.faults.Add(lifecycle.KindIllegalValue, name, name+" must be a number")
	}
	return ""
}

// texts is a list of texts.
func (r reader) texts(name string) []string {
	var list []string
	for _, element := range r.list(name) {
		if value := element.text("value"); value != nil {
			list = append(list, *value)
		}
	}
	return list
}

func (p page) answer(c *call, total int, resources []map[string]any) error {
	for _, object := range resources {
		p.shown.apply(object)
	}
	writeJSON(c.w, http.StatusOK, listResponse{
		Schemas: []string{messageList}, TotalResults: total, StartIndex: p.start,
		ItemsPerPage: len(resources), Resources: resources,
	})
	return nil
}

// answer writes one resource, of which only what is shown goes out.
func (c *call) answer(status int, r resource, object map[string]any) error {
	shown, err := c.selected(r)
	if err != nil {
		return err
	}
	meta := object["meta"].(map[string]any)            //nolint:forcetypeassert // every resource has it
	c.w.Header().Set("ETag", meta["version"].(string)) //nolint:forcetypeassert // and this in it
	if status == http.StatusCreated {
		c.w.Header().Set("Location", meta["location"].(string)) //nolint:forcetypeassert // and this too
	}
	writeJSON(c.w, status, shown.apply(object))
	return nil
}

func (c *call) selected(r resource) (selection, error) {
	return r.selectAttributes(names(c.query.Get("attributes")), names(c.query.Get("excludedAttributes")))
}
