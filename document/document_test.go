package document

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestParseRefusesWhatIsNotOneCleanValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `{"a":1}{`, `{"a":1} 2`, `{"a":1,"a":2}`, `{"b":{"a":1,"a":2}}`, `[{"a":1,"a":1}]`, `{"a":"` + "\xff" + `"}`,
		`{"a":"\u0000"}`, `{"a":"\ud800"}`, `{"a":"\udc00"}`, `{'a':1}`, `{"a":01}`, "{\"a\":\"\x01\"}",
		strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
	} {
		_, err := Parse([]byte(text))
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err), "%.60q: %v", text, err)
	}
}

func TestPersonIsReadWithAllItsFaults(t *testing.T) {
	t.Parallel()
	doc, err := Parse([]byte(`{"accountName":"will","firstName":5,"lastName":null,"email":["x"],"id":"x","more":{},"data":{"badge":"A","size":3}}`))
	require.NoError(t, err)
	in := doc.Person()
	require.Equal(t, "will", *in.AccountName)
	require.Equal(t, "x", *in.ID)
	require.Nil(t, in.LastName, "null is absent")
	require.Nil(t, in.FirstName)
	require.True(t, in.HasData)
	text := in.Faults.Err().Error()
	for _, field := range []string{"firstName", "email", "size"} {
		require.Contains(t, text, field)
	}
	require.Len(t, in.Faults, 3)
}

func TestKeysCountWithTheirCase(t *testing.T) {
	t.Parallel()
	doc, err := Parse([]byte(`{"ID":"x","AccountName":"a","accountname":"b","accountName":"c","\u0045mail":"d"}`))
	require.NoError(t, err)
	in := doc.Person()
	require.Nil(t, in.ID)
	require.Nil(t, in.Email)
	require.Equal(t, "c", *in.AccountName)
	require.Empty(t, in.Faults)
}

func TestReferencesComeAsIDsOrObjects(t *testing.T) {
	t.Parallel()
	doc, err := Parse([]byte(`{"name":"n","owner":{"id":"o","name":"ignored"},
		"approvers":["a",{"id":"b","type":"GOVERNANCE_GROUP"},{"id":"c","type":null},{"id":"d","type":5}],"accountManagers":[]}`))
	require.NoError(t, err)
	in := doc.Source()
	require.Empty(t, in.Faults)
	require.Equal(t, "o", *in.Owner)
	require.Equal(t, []lifecycle.ReferenceInput{
		{ID: new("a")}, {ID: new("b"), Type: new("GOVERNANCE_GROUP")}, {ID: new("c")}, {ID: new("d"), Type: new("")},
	}, in.Approvers)
	require.Empty(t, in.AccountManagers)
	doc, err = Parse([]byte(`{"approvers":[5],"accountManagers":"x"}`))
	require.NoError(t, err)
	require.Len(t, doc.Source().Faults, 2)
}

func TestAnElementThatCanNotBeReadKeepsItsPlace(t *testing.T) {
	t.Parallel()
	doc, err := Parse([]byte(`{"approvers":[1,"x",{"type":"IDENTITY"}],"ids":["a",null,"b"]}`))
	require.NoError(t, err)
	in := doc.Source()
	require.EqualError(t, in.Faults.Err(), "illegal_value: "+
		"approvers[0] must be an id or an object with an id; approvers[2] must be an id or an object with an id;")
	require.Len(t, in.Approvers, 3)
	require.Equal(t, "x", *in.Approvers[1].ID)
	_, faults := in.Judge()
	require.ErrorContains(t, faults.Err(), "approvers[1] must be a UUID;")
	require.NotContains(t, faults.Err().Error(), "approvers[0] must be a UUID")

	ids, faults := doc.IDs()
	require.Equal(t, []string{"a", "", "b"}, ids)
	require.EqualError(t, faults.Err(), "illegal_value: ids[1] must be a string;")
}

func TestAReadOnlyMemberIsNeverAFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*string{
		`{}`: nil, `{"id":null}`: nil, `{"id":"x"}`: new("x"), `{"id":5}`: new(""), `{"id":{"id":"x"}}`: new(""), `{"id":false}`: new(""),
	} {
		doc, err := Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, doc.Person().ID, text)
		require.Empty(t, doc.Person().Faults, text)
	}
}

func TestABodyThatIsNoObjectIsAFault(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`[]`, `"x"`, `5`, `null`} {
		doc, err := Parse([]byte(text))
		if err == nil {
			require.NotEmpty(t, doc.Person().Faults, text)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{}`, `{"accountName":"x","data":{"a":"b"}}`, `[1,2]`, `{"ids":["a"]}`, `{"a":"\ud83d\ude00"}`, `null`, "{\"\xff\":1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := Parse(text)
		if err != nil {
			require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
			return
		}
		doc.Person()
		doc.Source()
		doc.Attribute()
		doc.Comment()
		doc.IDs()
	})
}
