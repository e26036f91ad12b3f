package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"gatehouse/lifecycle"
)

const (
	mediaCSV    = "text/csv; charset=utf-8"
	mediaNDJSON = "application/x-ndjson"
	// pieceTimeout bounds the sending of one piece of a file: a client that takes
	// longer for it has stopped reading.
	pieceTimeout = time.Minute
	// maxFileName bounds the name of a file, in characters.
	maxFileName = 100
)

// file is a file that goes out.
type file struct {
	name  string
	media string
	// job is that of bulk work; zero for other files.
	job lifecycle.ID
	// length is negative where it is not known yet.
	length int64
	next   func(context.Context) ([]byte, error)
}

// fileAnswer sends a file; it is the answer of every operation that has one.
type fileAnswer func(http.ResponseWriter) error

// VisitExportNonEmployeeRecordsResponse sends the file.
func (a fileAnswer) VisitExportNonEmployeeRecordsResponse(w http.ResponseWriter) error { return a(w) }

// VisitExportNonEmployeeBulkUploadFaultsResponse sends the file.
func (a fileAnswer) VisitExportNonEmployeeBulkUploadFaultsResponse(w http.ResponseWriter) error {
	return a(w)
}

// VisitExportAuditEventsResponse sends the file.
func (a fileAnswer) VisitExportAuditEventsResponse(w http.ResponseWriter) error { return a(w) }

// errNoLength refuses a file whose length is not known to a client that could not
// tell the half of it from the whole.
var errNoLength = &plainError{
	answer{http.StatusHTTPVersionNotSupported, "400.1 Bad Request Content"},
	"The length of this file is not known beforehand, and HTTP/1.0 has no other sign of its end. " +
		"Use HTTP/1.1, or ask for an export that is COMPLETED with job.",
}

// endsClearly returns an error where a file without a length can't be sent: below
// HTTP/1.1 it ends with its connection, whatever ended that.
func endsClearly(ctx context.Context) error {
	if g, ok := ctx.(*gin.Context); ok && !g.Request.ProtoAtLeast(1, 1) {
		return errNoLength
	}
	return nil
}

// unhurried takes the server's deadline off an answer that may take its time.
// What waits for Postgres, Temporal or the client has bounds of its own.
func unhurried(ctx context.Context) {
	if g, ok := ctx.(*gin.Context); ok {
		// A writer without deadlines needs none taken off.
		_ = http.NewResponseController(g.Writer).SetWriteDeadline(time.Time{})
	}
}

// send fetches the first piece of a file, so that what fails until then can be
// answered as an error, and returns an answer that sends all of them. An error
// of that answer means that the client must not take the file for whole.
func (f file) send(ctx context.Context) (fileAnswer, error) {
	if f.length < 0 {
		if err := endsClearly(ctx); err != nil {
			return nil, err
		}
	}
	ctx, _ = callOf(ctx)
	first, err := f.next(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return func(w http.ResponseWriter) error {
		header := w.Header()
		header.Set("Content-Type", f.media)
		header.Set("Content-Disposition", attachment(f.name))
		if !f.job.IsZero() {
			header.Set("X-Gatehouse-Job", f.job.String())
		}
		if f.length >= 0 {
			header.Set("Content-Length", strconv.FormatInt(f.length, 10))
		}
		w.WriteHeader(http.StatusOK)
		control := http.NewResponseController(w)
		for piece, err := first, err; ; piece, err = f.next(ctx) {
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			}
			_ = control.SetWriteDeadline(time.Now().Add(pieceTimeout))
			if _, err := w.Write(piece); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
	}, nil
}

// attachment is the value of Content-Disposition for a file of that name: once
// in ASCII, and where that is not all of it once more as it is (RFC 6266).
func attachment(name string) string {
	safe := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	// A name that begins with a dot is a hidden file in some places, and no file
	// in others.
	safe = strings.TrimLeft(safe, ". ")
	if extra := utf8.RuneCountInString(safe) - maxFileName; extra > 0 {
		stem, extension := safe, ""
		if dot := strings.LastIndexByte(safe, '.'); dot >= 0 {
			stem, extension = safe[:dot], safe[dot:]
		}
		runes := []rune(stem)
		safe = string(runes[:max(0, len(runes)-extra)]) + extension
	}
	plain := strings.Map(func(r rune) rune {
		// A percent sign would be decoded by some clients.
		if r > unicode.MaxASCII || r == '%' {
			return '_'
		}
		return r
	}, safe)
	value := `attachment; filename="` + plain + `"`
	if plain != safe {
		// A blank is the one character that a query and a header spell differently.
		value += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(safe), "+", "%20")
	}
	return value
}
