package devstack

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
)

// callGRPC makes one unary call without TLS. It is all that is needed to ask a
// Temporal server whether it serves, and spares this package the SDK. request
// and the answer are encoded protobuf messages.
func callGRPC(ctx context.Context, client *http.Client, address, method string, request []byte) ([]byte, error) {
	frame := make([]byte, 5, 5+len(request))
	binary.BigEndian.PutUint32(frame[1:], uint32(len(request))) //nolint:gosec // requests are a few bytes, made here
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+method, bytes.NewReader(append(frame, request...)))
	if err != nil {
		return nil, err
	}
	call.Header.Set("Content-Type", "application/grpc")
	call.Header.Set("TE", "trailers")
	answer, err := client.Do(call)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	status, message := answer.Trailer.Get("Grpc-Status"), answer.Trailer.Get("Grpc-Message")
	if status == "" { // an answer without a body has its trailers in the header
		status, message = answer.Header.Get("Grpc-Status"), answer.Header.Get("Grpc-Message")
	}
	if answer.StatusCode != http.StatusOK || status != "0" {
		return nil, fmt.Errorf("%s: HTTP %d, gRPC status %q %s", method, answer.StatusCode, status, message)
	}
	if len(body) < 5 {
		return nil, fmt.Errorf("%s: short answer", method)
	}
	return body[5:], nil
}

// grpcClient returns a client that speaks HTTP/2 without TLS. Close its idle
// connections when done.
func grpcClient() *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: &protocols}}
}

// protoString encodes a message whose first field is the string.
func protoString(value string) []byte {
	const field, lengthDelimited = 1, 2
	out := []byte{field<<3 | lengthDelimited}
	out = binary.AppendUvarint(out, uint64(len(value)))
	return append(out, value...)
}
