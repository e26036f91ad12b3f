package devstack

import (
	"bufio"
	"fmt"
	"io"
)

// The parts that sample people are put together from.
var (
	sampleFirst = []string{"Ada", "Benoît", "Chiara", "Dmitri", "Élodie", "Farid", "Grace", "Hiroshi", "Ingrid", "João", "Katarzyna", "Lena", "Małgorzata", "Nadia", "Óscar", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma", "Věra", "Wanjiru", "Zoë"}
	sampleLast  = []string{"Andersson", "Bianchi", "Castillo", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen", "Kowalski", "Laurent", "Müller", "Novák", "O'Brien", "Petrov", "Quinn", "Rossi", "Sato", "Tanaka", "Usman", "Vogel", "Weber", "Yılmaz"}
)

// WriteSample writes a CSV file of n people as an upload takes it (contract §7),
// with the header of a source that has no custom attributes. The same n gives
// the same bytes; person i has the account name worker.NNNNNNN whatever n is.
// managers are aliases of identities, taken in turn; there is at least one.
// Errors are those of w.
func WriteSample(w io.Writer, n int, managers ...string) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if _, err := out.WriteString("accountName,firstName,lastName,phone,email,manager,startDate,endDate\n"); err != nil {
		return err
	}
	for i := range n {
		_, err := fmt.Fprintf(out, "worker.%07d,%s,%s,+1 512 555 %04d,worker.%07d@example.com,%s,2027-%02d-%02d,2028-%02d-%02d\n",
			i, sampleFirst[i%len(sampleFirst)], sampleLast[i/7%len(sampleLast)], i%10_000, i, managers[i%len(managers)],
			i%12+1, i%28+1, i%12+1, i%28+1)
		if err != nil {
			return err
		}
	}
	return out.Flush()
}
