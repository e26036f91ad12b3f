package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/lifecycle"
)

// uploadFields are the routes whose body is no JSON, with the texts that there may
// be beside the file.
var uploadFields = map[string][]string{
	"/non-employee-sources/:id/non-employee-bulk-upload":       nil,
	"/non-employee-sources/:id/non-employee-extensions/upload": {"endDate", "comment"},
}

const (
	// dataPart is the part of the body that is the file (contract §7).
	dataPart = "data"

	mediaForm = "multipart/form-data"

	// maxField is how much of a text beside the file is kept, in bytes: more than any
	// may have.
	maxField = 32 << 10
	// maxOtherParts bounds the parts of an upload beside the file.
	maxOtherParts = 100
	// maxPartHead bounds the lines ahead of the content of a part, in bytes, and
	// what comes before the first part. They are held in memory.
	maxPartHead = 64 << 10
	// readAtOnce is how much is taken from the connection at a time, in bytes.
	readAtOnce = 64 << 10
	// answerTimeout bounds the sending of the answer to an upload.
	answerTimeout = 30 * time.Second
	// An upload that is refused early may still be on its way, and many clients
	// read no answer before they have sent all. So much of the rest is taken and
	// thrown away before the connection is closed.
	drainBytes   = 16 << 20
	drainTimeout = 5 * time.Second
	// drainSlow is the time for a client that had its time already.
	drainSlow = time.Second
)

var errTooSlow = &plainError{
	answer{http.StatusRequestTimeout, "400.1 Bad Request Content"},
	"The body arrives too slowly.",
}

// receiveUpload keeps the body of an upload for its handler and leaves an empty
// one in its place: what is generated looks for the form of a body before the
// handler is asked, and must find nothing to complain of.
func (s *server) receiveUpload(g *gin.Context) {
	names, takesFile := uploadFields[g.FullPath()]
	if !takesFile {
		g.Next()
		return
	}
	_, c := callOf(g)
	c.upload = newUpload(g.Writer, g.Request, s.uploads)
	c.upload.names = names
	bare := *g.Request
	bare.Header = g.Request.Header.Clone()
	bare.Header.Set("Content-Type", mediaForm+"; boundary=none")
	bare.Body = http.NoBody
	g.Request = &bare
	g.Next()
	c.upload.finish()
}

// uploadLimits are what a client that uploads is held to.
type uploadLimits struct {
	// bytes is the longest body.
	bytes int64
	// rate is how many bytes a second have to arrive; 0 lets a client take its
	// time within patience.
	rate int64
	// patience is how far a client may fall behind rate.
	patience time.Duration
}

// upload is the body of an upload while it arrives; it is a [service.Upload].
// The deadlines of the server, which suit short requests, do not hold for it:
// as long as the client keeps its pace, it may take its time.
type upload struct {
	request *http.Request
	header  http.Header
	control *http.ResponseController
	limits  uploadLimits
	body    io.Reader
	end     *formEnd
	parts   *multipart.Reader
	part    *multipart.Part
	// names are those of the texts beside the file that are kept, fields these.
	names   []string
	fields  map[string]string
	release func() bool
	// left is for how long the client may yet keep us waiting.
	left time.Duration
	// touched is true once something was read, ended once everything was, and cut
	// once something could not be.
	touched     bool
	cut         bool
	ended       atomic.Bool
	interrupted atomic.Bool
	// finished is true once an interruption would come too late, and spoil what
	// is done with the rest of the body.
	finishing sync.Mutex
	finished  bool
}

func newUpload(w http.ResponseWriter, r *http.Request, limits uploadLimits) *upload {
	u := &upload{
		request: r, header: w.Header(), control: http.NewResponseController(w),
		limits: limits, left: limits.patience, release: func() bool { return true },
	}
	bounded := http.MaxBytesReader(bottom(w), io.NopCloser(pacedBody{u}), limits.bytes)
	u.body = bufio.NewReaderSize(bounded, readAtOnce)
	// An early answer must not wait for a part of the body. Whoever serves
	// without it, as tests may, is not in danger of that.
	_ = u.control.EnableFullDuplex()
	return u
}

// bottom is the writer that net/http gave, which is to know of a body that is
// too long.
func bottom(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapped.Unwrap()
	}
}

// pacedBody reads from the connection for as long as the client keeps its pace.
type pacedBody struct{ upload *upload }

// Read fails with errTooSlow where the client has fallen too far behind.
func (b pacedBody) Read(p []byte) (int, error) {
	u := b.upload
	u.touched = true
	if u.left <= 0 {
		return 0, errTooSlow
	}
	began := time.Now()
	// A connection without deadlines, as in tests, has no slow clients.
	_ = u.control.SetReadDeadline(began.Add(u.left))
	if u.interrupted.Load() {
		return 0, context.Canceled
	}
	n, err := u.request.Body.Read(p)
	waited := time.Since(began)
	late := waited >= u.left
	u.left -= waited
	if u.limits.rate > 0 {
		u.left += time.Duration(float64(n) / float64(u.limits.rate) * float64(time.Second))
	} else if n > 0 {
		u.left = u.limits.patience
	}
	u.left = min(u.left, u.limits.patience)
	switch {
	case errors.Is(err, io.EOF):
		u.ended.Store(true)
	case errors.Is(err, os.ErrDeadlineExceeded) && late:
		err = errTooSlow
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = context.Canceled
	case err != nil:
		u.cut = true
	}
	return n, err
}

// interrupt ends a Read under way and all later ones. Once the body has ended
// the server reads on to see whether the client leaves, and would take a
// deadline for that.
func (u *upload) interrupt() {
	u.finishing.Lock()
	defer u.finishing.Unlock()
	if !u.finished && !u.ended.Load() {
		u.interrupted.Store(true)
		_ = u.control.SetReadDeadline(time.Now())
	}
}

// Open looks for the file in the body.
func (u *upload) Open(ctx context.Context) (io.Reader, error) {
	boundary, err := u.boundary()
	if err != nil {
		return nil, err
	}
	u.release = context.AfterFunc(ctx, u.interrupt)
	u.end = newFormEnd(u.body, boundary)
	u.parts = multipart.NewReader(u.end, boundary)
	for range maxOtherParts + 1 {
		part, err := u.nextPart()
		switch {
		case err != nil:
			return nil, err
		case part == nil:
			return nil, errNoData
		case part.FormName() == dataPart:
			return filePart{u, part}, nil
		}
		if err := u.keepField(); err != nil {
			return nil, err
		}
	}
	return nil, errTooManyParts
}

// nextPart returns no part after the last one. Its errors may be told.
func (u *upload) nextPart() (part *multipart.Part, err error) {
	if u.part != nil {
		// The reader of the parts would do it too, and count it for the next head.
		if _, err := io.Copy(io.Discard, u.part); err != nil {
			return nil, u.fault(err)
		}
	}
	u.end.inHead, u.end.head = true, 0
	part, err = u.parts.NextPart()
	u.part, u.end.inHead = part, false
	if err == io.EOF && u.end.seen {
		return nil, nil //nolint:nilnil // that there are no more is no error
	}
	return part, u.fault(err)
}

// formEnd reads a form and notes whether the line that ends it has gone by. For
// the reader of its parts, one that breaks off in the head of a part is at its
// end too. It also holds that no head is too long.
type formEnd struct {
	form io.Reader
	// inHead is true while the head of a part is read, and head how much of it was.
	inHead bool
	head   int
	// line is the line with the line end before it, last what was read most
	// recently, as long as it may be the beginning of line.
	line, last []byte
	seen       bool
}

func newFormEnd(form io.Reader, boundary string) *formEnd {
	// A form may begin with its end.
	return &formEnd{form: form, line: []byte("\n--" + boundary + "--"), last: []byte("\n")}
}

func (e *formEnd) Read(p []byte) (int, error) {
	if e.inHead && e.head > maxPartHead {
		return 0, errLongHead
	}
	n, err := e.form.Read(p)
	e.head += n
	if !e.seen {
		e.last = append(e.last, p[:n]...)
		e.seen = bytes.Contains(e.last, e.line)
		e.last = append(e.last[:0], e.last[max(0, len(e.last)-len(e.line)+1):]...)
	}
	return n, err
}

var (
	errNoData   = lifecycle.FieldError(lifecycle.KindRequired, dataPart, dataPart+" is required;")
	errTwoFiles = lifecycle.FieldError(lifecycle.KindBadRequest, dataPart, dataPart+" must be given once;")
	errLongHead = lifecycle.NewError(lifecycle.KindBadRequest,
		fmt.Sprintf("The head of a part of the body is longer than %d bytes.", maxPartHead))
	errTooManyParts = lifecycle.NewError(lifecycle.KindBadRequest,
		fmt.Sprintf("The body has more than %d parts beside %s.", maxOtherParts, dataPart))
)

// boundary judges what can be said before the body was read.
func (u *upload) boundary() (string, error) {
	header := u.request.Header
	if header.Get("Content-Encoding") != "" {
		return "", errEncoded
	}
	if header.Get("Content-Type") == "" && u.request.ContentLength == 0 {
		return "", errNoData
	}
	media, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if media != mediaForm || err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return "", lifecycle.NewError(lifecycle.KindUnsupportedMedia, "The body must be "+mediaForm+".")
	}
	if parameters["boundary"] == "" {
		return "", lifecycle.NewError(lifecycle.KindBadRequest, "The Content-Type must have a boundary.")
	}
	if u.request.ContentLength > u.limits.bytes {
		return "", tooLarge(u.limits.bytes)
	}
	return parameters["boundary"], nil
}

// Close reads what follows the file.
func (u *upload) Close() error {
	defer u.release()
	for range maxOtherParts + 1 {
		part, err := u.nextPart()
		switch {
		case err != nil:
			return err
		case part == nil:
			// What follows the last part means nothing, but it must be there.
			_, err = io.Copy(io.Discard, u.body)
			return u.fault(err)
		case part.FormName() == dataPart:
			return errTwoFiles
		}
		if err := u.keepField(); err != nil {
			return err
		}
	}
	return errTooManyParts
}

// keepField keeps the text of the part at hand, if it is of use.
func (u *upload) keepField() error {
	name := u.part.FormName()
	if !slices.Contains(u.names, name) {
		return nil
	}
	if _, twice := u.fields[name]; twice {
		return lifecycle.FieldError(lifecycle.KindBadRequest, name, name+" must be given once;")
	}
	text, err := io.ReadAll(io.LimitReader(u.part, maxField))
	if err != nil {
		return u.fault(err)
	}
	if u.fields == nil {
		u.fields = map[string]string{}
	}
	u.fields[name] = string(text)
	return nil
}

// Field returns the text of a part beside the file.
func (u *upload) Field(name string) *string {
	text, given := u.fields[name]
	if !given {
		return nil
	}
	return &text
}

// fault turns an error of reading the body into what the caller is told.
func (u *upload) fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooSlow):
		return errTooSlow
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, errLongHead):
		return errLongHead
	case isTooLarge(err):
		return tooLarge(u.limits.bytes)
	case u.cut || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errCutOff.WithCause(err)
	}
	return lifecycle.NewError(lifecycle.KindBadRequest, "The body is not "+mediaForm+" as it should be.").WithCause(err)
}

// filePart is the part of the body that is the file.
type filePart struct {
	upload *upload
	part   *multipart.Part
}

// Read returns errors that the caller may be told.
func (f filePart) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, f.upload.fault(err)
}

// answering must be called before the answer is written.
func (u *upload) answering() {
	if !u.ended.Load() {
		u.header.Set("Connection", "close")
	}
	_ = u.control.SetWriteDeadline(time.Now().Add(answerTimeout))
}

// finish lets a client that is still sending come to the answer. It must be
// called once that was written.
func (u *upload) finish() {
	u.release()
	u.finishing.Lock()
	u.finished = true
	u.finishing.Unlock()
	if u.ended.Load() {
		return
	}
	_ = u.control.Flush()
	if !u.touched && strings.EqualFold(u.request.Header.Get("Expect"), "100-continue") {
		// The client waits to be asked for the body, and now won't be.
		_ = u.control.SetReadDeadline(time.Now())
		return
	}
	timeout := drainTimeout
	if u.left <= 0 {
		timeout = drainSlow
	}
	_ = u.control.SetReadDeadline(time.Now().Add(timeout))
	_, _ = io.CopyN(io.Discard, u.request.Body, drainBytes)
}
