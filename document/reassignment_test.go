package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/document"
	"gatehouse/lifecycle"
)

func TestAMoveIsRead(t *testing.T) {
	t.Parallel()
	read := func(text string) lifecycle.ReassignInput {
		doc, err := document.Parse([]byte(text))
		require.NoError(t, err)
		return doc.Reassignment()
	}
	in := read(`{"newOwner":"x","comment":"why"}`)
	require.Equal(t, lifecycle.ReassignInput{NewOwner: &lifecycle.ReferenceInput{ID: new("x")}, Comment: new("why")}, in)
	in = read(`{"newOwner":{"id":"x","type":"IDENTITY","name":"ignored"},"comment":null}`)
	require.Equal(t, lifecycle.ReassignInput{NewOwner: &lifecycle.ReferenceInput{ID: new("x"), Type: new("IDENTITY")}}, in)
	for _, owner := range []string{`1`, `{}`, `{"id":1}`, `[]`, `true`} {
		require.EqualError(t, read(`{"newOwner":`+owner+`}`).Faults.Err(), "illegal_value: newOwner must be an id or an object with an id;", owner)
	}
	require.Nil(t, read(`{"newOwner":null}`).NewOwner)
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(read(`[]`).Faults.Err()))
}

func TestAnAbsenceIsRead(t *testing.T) {
	t.Parallel()
	read := func(text string) lifecycle.AbsenceInput {
		doc, err := document.Parse([]byte(text))
		require.NoError(t, err)
		return doc.Absence()
	}
	in := read(`{"deputy":{"id":"x","type":"IDENTITY"},"startDate":"a","endDate":"b","id":"ignored"}`)
	require.Equal(t, lifecycle.AbsenceInput{Deputy: new("x"), Start: new("a"), End: new("b")}, in)
	require.Len(t, read(`{"deputy":1,"startDate":2,"endDate":3}`).Faults, 3)
}
