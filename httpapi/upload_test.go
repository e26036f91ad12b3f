package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/httpapi/apitest"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

// hurry is the deadline that the servers of these tests have for short
// requests. What takes its time must outlast it; it must outlast what a busy machine
// takes from the moment of a connection until a handler has it.
const hurry = 1200 * time.Millisecond

// serve listens with the API, as hurried as a server can be.
func (a *api) serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(a.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = hurry, hurry
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// answer is what came back over a connection.
type answer struct {
	status int
	header http.Header
	body   string
	close  bool
}

// dial opens a connection on which a test may say what it likes.
func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// readAnswer reads one answer and holds it against the document.
func readAnswer(t *testing.T, from *bufio.Reader) answer {
	t.Helper()
	r := request("POST", fill(uploads), "")
	response, err := http.ReadResponse(from, r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	apitest.ValidateResponse(t, r, response.StatusCode, response.Header, body)
	return answer{response.StatusCode, response.Header, string(body), response.Close}
}

func head(contentLength int, more ...string) string {
	text := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer token\r\n"+
		"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n", fill(uploads), contentLength)
	for _, line := range more {
		text += line + "\r\n"
	}
	return text + "\r\n"
}

// part is one part of a form with the boundary x.
func part(name, content string) string {
	return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + content + "\r\n"
}

const endOfForm = "--x--\r\n"

func TestTheFileIsFoundAmongTheParts(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"alone":                   part("data", aFile) + endOfForm,
		"first":                   part("data", aFile) + part("note", "hello") + endOfForm,
		"last":                    part("note", strings.Repeat("y", 100_000)) + part("other", "data") + part("data", aFile) + endOfForm,
		"behind a preamble":       "Ignore this.\r\n" + part("data", aFile) + endOfForm,
		"with an epilogue":        part("data", aFile) + endOfForm + strings.Repeat("epilogue", 10_000),
		"of another type":         "--x\r\nContent-Disposition: form-data; name=data; filename=\"d\"\r\nContent-Type: application/vnd.ms-excel\r\n\r\n" + aFile + "\r\n" + endOfForm,
		"without a last line end": part("data", aFile) + "--x--",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			server := a.serve(t)
			conn := dial(t, server)
			// Twice, so that nothing of the first is left over for the second.
			answers := bufio.NewReader(conn)
			for range 2 {
				a.service.bulk.received = nil
				_, err := io.WriteString(conn, head(len(body))+body)
				require.NoError(t, err)
				got := readAnswer(t, answers)
				require.Equal(t, http.StatusAccepted, got.status, got.body)
				require.Equal(t, aFile, string(a.service.bulk.received))
				require.False(t, got.close)
			}
			require.Equal(t, sourceID, a.service.parent)
			require.False(t, a.service.flag)
		})
	}
}

func TestADryRunAnswersWithCounts(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.do(t, request("POST", fill(uploads)+"?dry-run=true", anUpload))
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"total":6,"created":3,"updated":2,"unchanged":1}`, w.Body.String())
	require.True(t, a.service.flag)
	w = a.do(t, request("POST", fill(uploads)+"?dry-run=maybe", anUpload))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "dry-run must be true or false")
}

func TestABodyWithoutItsFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, code, text string
	}{
		"no part":                     {endOfForm, "400.1.0 Required Data Missing Or Empty", "data is required;"},
		"another part":                {part("file", aFile) + endOfForm, "400.1.0 Required Data Missing Or Empty", "data is required;"},
		"Data":                        {part("Data", aFile) + endOfForm, "400.1.0 Required Data Missing Or Empty", "data is required;"},
		"two files":                   {part("data", aFile) + part("data", aFile) + endOfForm, "400.1 Bad Request Content", "data must be given once;"},
		"many parts":                  {strings.Repeat(part("n", ""), 102) + endOfForm, "400.1 Bad Request Content", "The body has more than 100 parts beside data."},
		"many parts behind it":        {part("data", aFile) + strings.Repeat(part("n", ""), 102) + endOfForm, "400.1 Bad Request Content", "The body has more than 100 parts beside data."},
		"no end":                      {part("data", aFile), "400.1 Bad Request Content", "The body could not be read to its end."},
		"no end of the file":          {part("data", aFile)[:100], "400.1 Bad Request Content", "The body could not be read to its end."},
		"no end of a part":            {part("data", aFile) + part("n", "y")[:30], "400.1 Bad Request Content", "The body could not be read to its end."},
		"no end of the form":          {part("data", aFile) + part("n", "y"), "400.1 Bad Request Content", "The body could not be read to its end."},
		"no last part":                {part("data", aFile) + "--x\r\n", "400.1 Bad Request Content", "The body could not be read to its end."},
		"nothing":                     {"", "400.1 Bad Request Content", "The body could not be read to its end."},
		"no form":                     {"--x\r\nno header\r\n\r\n" + endOfForm, "400.1 Bad Request Content", "The body is not multipart/form-data as it should be."},
		"a long body that is no form": {part("data", aFile)[:60] + "\r\n\r\n--x-y\r\n" + strings.Repeat("z", 500_000), "400.1 Bad Request Content", "The body could not be read to its end."},
		"a broken line":               {part("data", aFile) + "--x--y\r\n" + strings.Repeat("z", 500_000), "400.1 Bad Request Content", "The body is not multipart/form-data as it should be."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, newAPI(t).serve(t))
			_, err := io.WriteString(conn, head(len(c.body))+c.body)
			require.NoError(t, err)
			got := readAnswer(t, bufio.NewReader(conn))
			require.Equal(t, http.StatusBadRequest, got.status, got.body)
			require.Contains(t, got.body, `"detailCode":"`+c.code+`"`)
			require.Contains(t, got.body, `"text":"`+c.text+`"`)
		})
	}
}

func TestTheFormOfAnUploadIsToldAfterAccess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contentType, encoding, body string
		status                      int
		text                        string
	}{
		"JSON":               {"application/json", "", "{}", 415, "must be multipart/form-data"},
		"CSV":                {"text/csv", "", aFile, 415, "must be multipart/form-data"},
		"another multipart":  {"multipart/mixed; boundary=x", "", anUpload, 415, "must be multipart/form-data"},
		"no type":            {"", "", anUpload, 415, "must be multipart/form-data"},
		"half a type":        {"multipart", "", anUpload, 415, "must be multipart/form-data"},
		"compressed":         {"multipart/form-data; boundary=x", "gzip", anUpload, 415, "must not have a Content-Encoding"},
		"no boundary":        {"multipart/form-data", "", anUpload, 400, "must have a boundary"},
		"nothing of a body":  {"", "", "", 400, "data is required"},
		"too long by header": {"multipart/form-data; boundary=x", "", strings.Repeat("-", maxUploadBytes+1), 413, "longer than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upload := func() *http.Request {
				r := request("POST", fill(uploads), c.body)
				r.Header.Del("Content-Type")
				if c.contentType != "" {
					r.Header.Set("Content-Type", c.contentType)
				}
				if c.encoding != "" {
					r.Header.Set("Content-Encoding", c.encoding)
				}
				return r
			}
			a := newAPI(t)
			w := a.do(t, upload())
			require.Equal(t, c.status, w.Code)
			require.Contains(t, w.Body.String(), c.text)
			a.service.err = lifecycle.NewError(lifecycle.KindNotFound, "No such source.")
			require.Equal(t, http.StatusNotFound, a.do(t, upload()).Code)
		})
	}
}

func TestABodyThatIsCutOffIsRefused(t *testing.T) {
	t.Parallel()
	for _, sent := range []int{0, 50, len(anUpload) - 1} {
		a := newAPI(t)
		conn := dial(t, a.serve(t))
		_, err := io.WriteString(conn, head(len(anUpload)+10)+anUpload[:sent])
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		got := readAnswer(t, bufio.NewReader(conn))
		require.Equal(t, http.StatusBadRequest, got.status, got.body)
		require.Contains(t, got.body, `"text":"The body could not be read to its end."`)
	}
}

// form streams a form whose file is as long as it is told, without end if need be.
func form(file io.Reader) (body io.Reader, contentType string) {
	read, write := io.Pipe()
	w := multipart.NewWriter(write)
	go func() {
		part, err := w.CreateFormFile("data", "a.csv")
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = w.Close()
		}
		_ = write.CloseWithError(err)
	}()
	return read, w.FormDataContentType()
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestABodyThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	server := a.serve(t)
	for name, file := range map[string]io.Reader{
		"a little": io.LimitReader(endless{}, maxUploadBytes),
		"a lot":    io.LimitReader(endless{}, 40*maxUploadBytes),
		"for ever": endless{},
	} {
		body, contentType := form(file)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+fill(uploads), body)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer token")
		r.Header.Set("Content-Type", contentType)
		response, err := server.Client().Do(r)
		require.NoError(t, err, name)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err, name)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode, name)
		require.Contains(t, string(text), "The body is longer than 1048576 bytes.")
		apitest.ValidateResponse(t, r, response.StatusCode, response.Header, text)
	}
	body := strings.NewReader(part("data", strings.Repeat("a", maxUploadBytes-200)) + endOfForm)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+fill(uploads), body)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusAccepted, response.StatusCode)
}

func TestAClientThatReadsNothingBeforeItHasSentAllIsAnswered(t *testing.T) {
	t.Parallel()
	const long = 6 << 20
	body := part("data", strings.Repeat("a", long)) + endOfForm
	for name, c := range map[string]struct {
		onFile func(context.Context, service.Upload) error
		err    error
		status int
	}{
		"refused before the body": {nil, lifecycle.NewError(lifecycle.KindUnavailable, "Too many."), 503},
		"refused by its header":   {nil, nil, 413},
		"refused in the middle": {func(ctx context.Context, upload service.Upload) error {
			file, err := upload.Open(ctx)
			if err != nil {
				return err
			}
			if _, err := io.ReadFull(file, make([]byte, 1000)); err != nil {
				return err
			}
			return lifecycle.NewError(lifecycle.KindRequired, "line 1: a column is missing")
		}, nil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, func(o *httpapi.Options) {
				if c.status != 413 {
					o.MaxUploadBytes = 2 * long
				}
			})
			a.service.err, a.service.bulk.onFile = c.err, c.onFile
			conn := dial(t, a.serve(t))
			_, err := io.WriteString(conn, head(len(body))+body)
			require.NoError(t, err)
			got := readAnswer(t, bufio.NewReader(conn))
			require.Equal(t, c.status, got.status)
			require.True(t, got.close, "the client is told that the connection ends")
		})
	}
}

func TestAClientThatAsksFirstIsAnsweredWithoutTheBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.err = lifecycle.NewError(lifecycle.KindForbidden, "Not yours.")
	conn := dial(t, a.serve(t))
	_, err := io.WriteString(conn, head(1000, "Expect: 100-continue"))
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	got := readAnswer(t, answers)
	require.Equal(t, http.StatusForbidden, got.status)
	require.True(t, got.close)
	_, err = answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)

	a.service.err = nil
	conn = dial(t, a.serve(t))
	_, err = io.WriteString(conn, head(len(anUpload), "Expect: 100-continue"))
	require.NoError(t, err)
	answers = bufio.NewReader(conn)
	line, err := answers.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = answers.ReadString('\n')
	require.NoError(t, err)
	_, err = io.WriteString(conn, anUpload)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, readAnswer(t, answers).status)
}

func TestAClientThatIsTooSlowIsCutOff(t *testing.T) {
	t.Parallel()
	const patience = 200 * time.Millisecond
	for name, rate := range map[string]int64{"silent": 0, "dribbling": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, func(o *httpapi.Options) { o.MinUploadRate, o.UploadPatience = rate, patience })
			conn := dial(t, a.serve(t))
			began := time.Now()
			_, err := io.WriteString(conn, head(len(anUpload))+anUpload[:60])
			require.NoError(t, err)
			if rate > 0 {
				// One byte in ten milliseconds is a tenth of the rate.
				dribble := time.NewTicker(10 * time.Millisecond)
				stop := make(chan struct{})
				stopped := make(chan struct{})
				go func() {
					defer close(stopped)
					for i := 60; i < len(anUpload); i++ {
						select {
						case <-dribble.C:
							_, _ = io.WriteString(conn, anUpload[i:i+1])
						case <-stop:
							return
						}
					}
				}()
				defer func() { dribble.Stop(); close(stop); <-stopped }()
			}
			answers := bufio.NewReader(conn)
			got := readAnswer(t, answers)
			require.Equal(t, http.StatusRequestTimeout, got.status)
			require.Contains(t, got.body, "The body arrives too slowly.")
			require.Contains(t, got.body, `"detailCode":"400.1 Bad Request Content"`)
			require.GreaterOrEqual(t, time.Since(began), patience)
			require.True(t, got.close)
			_, err = answers.ReadByte()
			require.Error(t, err, "the connection ends")
		})
	}
}

func TestAClientThatKeepsItsPaceMayTakeItsTime(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) { o.MinUploadRate, o.UploadPatience = 100, 5*time.Second })
	a.service.bulk.onFile = func(ctx context.Context, upload service.Upload) error {
		if err := a.service.receive(ctx, upload); err != nil {
			return err
		}
		// What is done with the file may take its time as well.
		select {
		case <-time.After(2 * hurry):
			return nil
		case <-ctx.Done():
			return errors.New("the client is taken to have left")
		}
	}
	conn := dial(t, a.serve(t))
	_, err := io.WriteString(conn, head(len(anUpload)))
	require.NoError(t, err)
	for chunk := range strings.SplitAfterSeq(anUpload, "\n") {
		<-time.After(hurry / 2)
		_, err := io.WriteString(conn, chunk)
		require.NoError(t, err)
	}
	got := readAnswer(t, bufio.NewReader(conn))
	require.Equal(t, http.StatusAccepted, got.status, got.body)
	require.Equal(t, aFile, string(a.service.bulk.received))
}

func TestAReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	reading := make(chan struct{})
	var readErr error
	a.service.bulk.onFile = func(ctx context.Context, upload service.Upload) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		file, err := upload.Open(ctx)
		if err != nil {
			return err
		}
		go func() {
			<-reading
			cancel()
		}()
		_, readErr = io.ReadAll(io.TeeReader(file, signal{reading}))
		return lifecycle.NewError(lifecycle.KindUnavailable, "The rows could not be stored.")
	}
	conn := dial(t, a.serve(t))
	sent := len(part("data", aFile)) / 2
	_, err := io.WriteString(conn, head(len(anUpload))+anUpload[:sent])
	require.NoError(t, err)
	got := readAnswer(t, bufio.NewReader(conn))
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.ErrorIs(t, readErr, context.Canceled)
}

// signal closes its channel at the first Write.
type signal struct{ first chan struct{} }

func (s signal) Write(p []byte) (int, error) {
	select {
	case <-s.first:
	default:
		close(s.first)
	}
	return len(p), nil
}

func TestAnUploadOverTheRateIsAnswered(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) {
		o.Limit = func(*http.Request, policy.Actor) time.Duration { return time.Second }
	})
	body := part("data", strings.Repeat("a", 2<<20)) + endOfForm
	conn := dial(t, a.serve(t))
	_, err := io.WriteString(conn, head(len(body))+body)
	require.NoError(t, err)
	got := readAnswer(t, bufio.NewReader(conn))
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.True(t, got.close)
}

func TestAnUploadWithoutATokenIsAnswered(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := part("data", strings.Repeat("a", 2<<20)) + endOfForm
	conn := dial(t, a.serve(t))
	_, err := io.WriteString(conn, strings.Replace(head(len(body)), "Authorization: Bearer token\r\n", "", 1)+body)
	require.NoError(t, err)
	got := readAnswer(t, bufio.NewReader(conn))
	require.Equal(t, http.StatusUnauthorized, got.status)
	require.True(t, got.close)
}

// TestTheHeadOfAPartIsBounded, however long a body may be: it is held in memory.
func TestTheHeadOfAPartIsBounded(t *testing.T) {
	t.Parallel()
	const bound = 64 << 10
	long := strings.Repeat("h", 2*bound)
	dataHead := func(length int) string {
		return "--x\r\nContent-Disposition: form-data; name=\"data\"\r\nX: " + strings.Repeat("h", length)
	}
	for _, limit := range []int64{maxUploadBytes, 256 << 20} {
		for name, c := range map[string]struct {
			// sent is all that comes of a body that says it is longer.
			sent   string
			status int
		}{
			"a long line":           {dataHead(2 * bound), http.StatusBadRequest},
			"many lines":            {dataHead(0) + strings.Repeat("\r\nX: hhhhhh", bound/4), http.StatusBadRequest},
			"of another part":       {part("note", long) + "--x\r\nX: " + long, http.StatusBadRequest},
			"behind the file":       {part("data", long) + "--x\r\nX: " + long, http.StatusBadRequest},
			"before the first part": {strings.Repeat(long[:100]+"\r\n", bound/50), http.StatusBadRequest},
			"as long as may be":     {dataHead(bound-200) + "\r\n\r\n" + long + "\r\n" + part("note", long) + endOfForm, http.StatusAccepted},
		} {
			t.Run(fmt.Sprint(name, " of ", limit), func(t *testing.T) {
				t.Parallel()
				a := newAPI(t, func(o *httpapi.Options) { o.MaxUploadBytes = limit })
				conn := dial(t, a.serve(t))
				length := len(c.sent)
				if c.status != http.StatusAccepted {
					length = maxUploadBytes
				}
				_, err := io.WriteString(conn, head(length)+c.sent)
				require.NoError(t, err)
				got := readAnswer(t, bufio.NewReader(conn))
				require.Equal(t, c.status, got.status, got.body)
				if c.status != http.StatusAccepted {
					require.Contains(t, got.body, `"detailCode":"400.1 Bad Request Content"`)
					require.Contains(t, got.body, `"text":"The head of a part of the body is longer than 65536 bytes."`)
				} else {
					require.Equal(t, long, string(a.service.bulk.received))
				}
			})
		}
	}
}
