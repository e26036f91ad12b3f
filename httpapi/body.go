package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/document"
	"gatehouse/lifecycle"
	"gatehouse/service"
)

const (
	mediaJSON  = "application/json"
	mediaPatch = "application/json-patch+json"
)

// body is a JSON body as it was read, or what was wrong with it. A fault is not
// answered at once: it goes to the service, which tells it only to those who
// passed the access check (contract §5).
type body struct {
	text     []byte
	document document.Document
	fault    *lifecycle.Error
}

// readBody reads the whole body of an operation that takes JSON, before any
// handler, and leaves null in its place: what is generated binds a body before
// the handler is asked, and must find nothing to complain of.
func (s *server) readBody(g *gin.Context) {
	if takesJSON(g.Request.Method, g.FullPath()) {
		_, c := callOf(g)
		c.body = readJSON(g.Writer, g.Request, s.maxBody)
		g.Request.Body = io.NopCloser(strings.NewReader("null"))
	}
	g.Next()
}

func takesJSON(method, route string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		_, takesFile := uploadFields[route]
		return !takesFile
	}
	return false
}

func readJSON(w http.ResponseWriter, r *http.Request, limit int64) body {
	if fault := checkMedia(r); fault != nil {
		return body{fault: fault}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	switch {
	case isTooLarge(err):
		return body{fault: tooLarge(limit)}
	case err != nil:
		return body{fault: errCutOff.WithCause(err)}
	case len(text) == 0:
		return body{fault: lifecycle.NewError(lifecycle.KindRequired, "The body is missing.")}
	}
	doc, err := document.Parse(text)
	if err != nil {
		var fault *lifecycle.Error
		if !errors.As(err, &fault) {
			fault = lifecycle.NewError(lifecycle.KindBadRequest, "The body can't be read.").WithCause(err)
		}
		return body{fault: fault}
	}
	return body{text: text, document: doc}
}

var (
	errCutOff  = lifecycle.NewError(lifecycle.KindBadRequest, "The body could not be read to its end.")
	errEncoded = lifecycle.NewError(lifecycle.KindUnsupportedMedia, "The body must not have a Content-Encoding.")
)

func isTooLarge(err error) bool {
	_, is := errors.AsType[*http.MaxBytesError](err)
	return is
}

func tooLarge(limit int64) *lifecycle.Error {
	return lifecycle.NewError(lifecycle.KindTooLarge, fmt.Sprintf("The body is longer than %d bytes.", limit))
}

func checkMedia(r *http.Request) *lifecycle.Error {
	if r.Header.Get("Content-Encoding") != "" {
		return errEncoded
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		media = ""
	}
	if r.Method != http.MethodPatch {
		if media == mediaJSON {
			return nil
		}
		return lifecycle.NewError(lifecycle.KindUnsupportedMedia, "The body must be "+mediaJSON+".")
	}
	// Some clients know no media type but JSON's.
	if media == mediaPatch || media == mediaJSON {
		return nil
	}
	return lifecycle.NewError(lifecycle.KindUnsupportedMedia, "The body must be "+mediaPatch+".")
}

func (b body) faults() lifecycle.Faults {
	if b.fault == nil {
		return nil
	}
	return lifecycle.Faults{b.fault}
}

func (b body) person() lifecycle.PersonInput {
	if b.fault != nil {
		return lifecycle.PersonInput{Faults: b.faults()}
	}
	return b.document.Person()
}

func (b body) source() lifecycle.SourceInput {
	if b.fault != nil {
		return lifecycle.SourceInput{Faults: b.faults()}
	}
	return b.document.Source()
}

func (b body) attribute() lifecycle.AttributeInput {
	if b.fault != nil {
		return lifecycle.AttributeInput{Faults: b.faults()}
	}
	return b.document.Attribute()
}

func (b body) reassignment() lifecycle.ReassignInput {
	if b.fault != nil {
		return lifecycle.ReassignInput{Faults: b.faults()}
	}
	return b.document.Reassignment()
}

func (b body) absence() lifecycle.AbsenceInput {
	if b.fault != nil {
		return lifecycle.AbsenceInput{Faults: b.faults()}
	}
	return b.document.Absence()
}

func (b body) schedule() lifecycle.ScheduleInput {
	if b.fault != nil {
		return lifecycle.ScheduleInput{Faults: b.faults()}
	}
	return b.document.Schedule()
}

func (b body) approvalPolicy() lifecycle.ApprovalPolicyInput {
	if b.fault != nil {
		return lifecycle.ApprovalPolicyInput{Faults: b.faults()}
	}
	return b.document.ApprovalPolicy()
}

func (b body) lifecyclePolicy() lifecycle.LifecyclePolicyInput {
	if b.fault != nil {
		return lifecycle.LifecyclePolicyInput{Faults: b.faults()}
	}
	return b.document.LifecyclePolicy()
}

func (b body) endReason() (*string, lifecycle.Faults) {
	if b.fault != nil {
		return nil, b.faults()
	}
	return b.document.EndReason()
}

func (b body) token() lifecycle.TokenInput {
	if b.fault != nil {
		return lifecycle.TokenInput{Faults: b.faults()}
	}
	return b.document.Token()
}

func (b body) client() lifecycle.ClientInput {
	if b.fault != nil {
		return lifecycle.ClientInput{Faults: b.faults()}
	}
	return b.document.Client()
}

func (b body) webhook() lifecycle.WebhookInput {
	if b.fault != nil {
		return lifecycle.WebhookInput{Faults: b.faults()}
	}
	return b.document.Webhook()
}

func (b body) ids() ([]string, lifecycle.Faults) {
	if b.fault != nil {
		return nil, b.faults()
	}
	return b.document.IDs()
}

func (b body) extension() lifecycle.ExtensionInput {
	if b.fault != nil {
		return lifecycle.ExtensionInput{Faults: b.faults()}
	}
	return b.document.Extension()
}

// extensionDecision is a decision that may take records out of an extension.
func (b body) extensionDecision(key *string) service.DecisionInput {
	in := b.decision(key)
	if b.fault == nil {
		var faults lifecycle.Faults
		in.Rejected, faults = b.document.RejectedRecords()
		in.Faults = append(in.Faults, faults...)
	}
	return in
}

func (b body) decision(key *string) service.DecisionInput {
	in := service.DecisionInput{Key: valueOr(key, "")}
	if b.fault != nil {
		in.Faults = b.faults()
		return in
	}
	in.Comment, in.Faults = b.document.Comment()
	return in
}
