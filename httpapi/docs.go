package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// Document is openapi.yaml, which says what the API serves.
//
//go:embed openapi.yaml
var Document []byte

// docsPath is where the page is.
const docsPath = "/docs"

func getDocument(g *gin.Context) {
	g.Header("Cache-Control", "no-cache")
	g.Data(http.StatusOK, "application/yaml", Document)
}

// documentation serves a page that shows the document. Everything it needs is
// in the binary; the policy keeps the browser from looking elsewhere, and from
// running a script that the document, or whoever got at it, brought along.
func documentation() http.Handler {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Gatehouse", SwaggerJSON: "/openapi.yaml", BasePath: docsPath, HideCurl: false,
		SettingsUI: map[string]string{
			"defaultModelsExpandDepth": "0",
			"docExpansion":             `"list"`,
			"filter":                   "true",
			"showExtensions":           "false",
			"showCommonExtensions":     "false",
			"tagsSorter":               "undefined",
		},
	})
	policy := "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
		"script-src 'self'" + inlineScripts(page) + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-cache")
		header.Set("Content-Security-Policy", policy)
		page.ServeHTTP(w, r)
	})
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// inlineScripts are the sources that let a browser run the scripts that the page
// itself has, and no other inline one. The page is the same at every call.
func inlineScripts(page http.Handler) string {
	w := &pageBuffer{header: http.Header{}}
	page.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: docsPath}})
	var sources strings.Builder
	for _, script := range inlineScript.FindAllSubmatch(w.Bytes(), -1) {
		digest := sha256.Sum256(script[1])
		sources.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'")
	}
	return sources.String()
}

// pageBuffer keeps a page that nobody asked for.
type pageBuffer struct {
	bytes.Buffer
	header http.Header
}

// Header implements http.ResponseWriter.
func (b *pageBuffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *pageBuffer) WriteHeader(int) {}
