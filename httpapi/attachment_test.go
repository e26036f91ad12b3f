package httpapi

import (
	"mime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheNameOfAFileIsSafeInAHeaderAndOnADisk(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Contractors.csv":                 `attachment; filename="Contractors.csv"`,
		"Temps & interns, 2026.csv":       `attachment; filename="Temps & interns, 2026.csv"`,
		`a"b\c/d:e*f?g<h>i|j.csv`:         `attachment; filename="a_b_c_d_e_f_g_h_i_j.csv"`,
		"../../etc/passwd.csv":            `attachment; filename="_.._etc_passwd.csv"`,
		".hidden.csv":                     `attachment; filename="hidden.csv"`,
		"a\r\nSet-Cookie: x\x00.csv":      `attachment; filename="a__Set-Cookie_ x_.csv"`,
		"Külső 人.csv":                     `attachment; filename="K_ls_ _.csv"; filename*=UTF-8''K%C3%BCls%C5%91%20%E4%BA%BA.csv`,
		"100%41 + 'x' (y);z.csv":          `attachment; filename="100_41 + 'x' (y);z.csv"; filename*=UTF-8''100%2541%20%2B%20%27x%27%20%28y%29%3Bz.csv`,
		"\u202efdp.csv":                   `attachment; filename="_fdp.csv"`,
		strings.Repeat("n", 300) + ".csv": `attachment; filename="` + strings.Repeat("n", 96) + `.csv"`,
		strings.Repeat("é", 300) + ".csv": `attachment; filename="` + strings.Repeat("_", 96) + `.csv"; filename*=UTF-8''` + strings.Repeat("%C3%A9", 96) + ".csv",
	} {
		got := attachment(name)
		require.Equal(t, want, got)
		disposition, parameters, err := mime.ParseMediaType(got)
		require.NoError(t, err, got)
		require.Equal(t, "attachment", disposition)
		require.True(t, strings.HasSuffix(parameters["filename"], ".csv"), got)
	}
}
