package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"gatehouse/document"
	"gatehouse/lifecycle"
	"gatehouse/service"
)

const (
	// maxOperations bounds the operations of one patch.
	maxOperations = 1_000
	// maxCopied bounds what the copy operations of one patch make together, in
	// bytes: each can double the document.
	maxCopied = 1 << 20
)

// patch makes of the body what the service carries out. That is done while the
// object is locked, so everything that can be said about the body alone has been
// found by then.
func (b body) patch() service.Patch {
	patch, err := b.operations()
	if err != nil {
		return service.Patch{Apply: func([]byte) ([]byte, error) { return nil, err }}
	}
	return service.Patch{
		Members: members(patch),
		Apply:   func(doc []byte) ([]byte, error) { return applyPatch(patch, doc) },
	}
}

// members are the members of a document that the operations touch: a test only
// looks at its place, and a copy at where it takes from.
func members(patch jsonpatch.Patch) []string {
	var members []string
	for _, operation := range patch {
		kind := operation.Kind()
		if kind != "test" {
			members = append(members, memberOf(textOf(operation, "path")))
		}
		if kind == "move" {
			members = append(members, memberOf(textOf(operation, "from")))
		}
	}
	return members
}

// memberOf is the name of the member that a JSON Pointer leads into.
func memberOf(pointer string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

func (b body) operations() (jsonpatch.Patch, error) {
	if b.fault != nil {
		return nil, b.fault
	}
	operations, ok := b.document.Elements()
	if !ok {
		return nil, lifecycle.NewError(lifecycle.KindBadRequest, "The body must be a list of JSON Patch operations.")
	}
	if len(operations) > maxOperations {
		return nil, lifecycle.NewError(lifecycle.KindBadRequest,
			fmt.Sprintf("A patch has at most %d operations.", maxOperations))
	}
	var faults lifecycle.Faults
	for i, operation := range operations {
		if problem := operationProblem(operation); problem != "" {
			faults.Add(lifecycle.KindBadRequest, "patch", fmt.Sprintf("operation %d: %s", i, problem))
			if len(faults) == maxPatchFaults {
				break
			}
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	patch, err := jsonpatch.DecodePatch(b.text)
	if err != nil {
		return nil, lifecycle.NewError(lifecycle.KindBadRequest, "The body is no JSON Patch.").WithCause(err)
	}
	return patch, nil
}

// maxPatchFaults bounds how many faulty operations are told of.
const maxPatchFaults = 20

// operationProblem says what is wrong with the form of one operation, empty for
// nothing (RFC 6902 §4).
func operationProblem(operation document.Document) string {
	op, _ := operation.Text("op")
	from, needsFrom, needsValue := "", false, false
	switch op {
	case "add", "replace", "test":
		needsValue = true
	case "move", "copy":
		needsFrom = true
	case "remove":
	default:
		return "op must be add, remove, replace, move, copy or test"
	}
	path, ok := operation.Text("path")
	if !ok || !isPointer(path) {
		return "path must be a JSON Pointer such as /name"
	}
	if needsFrom {
		if from, ok = operation.Text("from"); !ok || !isPointer(from) {
			return "from must be a JSON Pointer such as /name"
		}
		if op == "move" && strings.HasPrefix(path, from+"/") {
			return "a value can't be moved into itself"
		}
	}
	if needsValue && !operation.Has("value") {
		return op + " needs a value"
	}
	// The whole object can be looked at, but not taken away from its id.
	if path == "" && op != "test" || from == "" && op == "move" {
		return op + " can't be done to the whole object"
	}
	return ""
}

// isPointer reports whether text is a JSON Pointer (RFC 6901).
func isPointer(text string) bool {
	if text != "" && text[0] != '/' {
		return false
	}
	for i := range len(text) {
		if text[i] == '~' && (i+1 == len(text) || text[i+1] != '0' && text[i+1] != '1') {
			return false
		}
	}
	return true
}

func applyPatch(patch jsonpatch.Patch, doc []byte) ([]byte, error) {
	patched, err := apply(patch, doc)
	if err == nil {
		return patched, nil
	}
	// The library does not say which operation failed: it is the last one of
	// the shortest beginning of the patch that fails.
	first := sort.Search(len(patch)-1, func(i int) bool {
		_, err := apply(patch[:i+1], doc)
		return err != nil
	})
	op, path := patch[first].Kind(), textOf(patch[first], "path")
	where := fmt.Sprintf("operation %d (%s %s)", first, op, document.Quote(path))
	var tooMuch *jsonpatch.AccumulatedCopySizeError
	switch {
	case errors.As(err, &tooMuch):
		return nil, lifecycle.FieldError(lifecycle.KindIllegalValue, path, where+": the copies become too large;").WithCause(err)
	case op == "test":
		return nil, lifecycle.FieldError(lifecycle.KindIllegalValue, path, where+": the value is another one;").WithCause(err)
	}
	return nil, lifecycle.FieldError(lifecycle.KindBadRequest, path, where+": there is nothing at that place;").WithCause(err)
}

func apply(patch jsonpatch.Patch, doc []byte) ([]byte, error) {
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false
	options.AccumulatedCopySizeLimit = maxCopied
	return patch.ApplyWithOptions(doc, options)
}

// textOf returns a text of an operation whose form was checked.
func textOf(operation jsonpatch.Operation, name string) string {
	var text string
	if raw := operation[name]; raw != nil {
		// One that is no string was refused before.
		_ = json.Unmarshal(*raw, &text)
	}
	return text
}
