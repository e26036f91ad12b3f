package httpapi

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// Document is openapi.yaml, which says what the API serves.
//
//go:embed openapi.yaml
var Document []byte

func getDocument(g *gin.Context) {
	g.Header("Cache-Control", "no-cache")
	g.Data(http.StatusOK, "application/yaml", Document)
}

// documentation serves a page that shows the document. Everything it needs is
// in the binary; the policy keeps the browser from looking elsewhere.
func documentation() http.Handler {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Gatehouse", SwaggerJSON: "/openapi.yaml", BasePath: "/docs", HideCurl: false,
		SettingsUI: map[string]string{
			"defaultModelsExpandDepth": "0",
			"docExpansion":             `"list"`,
			"filter":                   "true",
			"showExtensions":           "false",
			"showCommonExtensions":     "false",
			"tagsSorter":               "undefined",
		},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-cache")
		header.Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'; "+
			"style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'")
		page.ServeHTTP(w, r)
	})
}
