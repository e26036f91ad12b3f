package lifecycle_test

import (
	"testing"

	"gatehouse/lifecycle"
)

// Rows of files are judged and folded one by one, so that a file of a million
// costs a million times what these do.

func BenchmarkPersonJudge(b *testing.B) {
	attributes := schema()
	plain, accented := person(), person()
	for _, in := range []*lifecycle.PersonInput{&plain, &accented} {
		in.StartDate, in.EndDate = ptr("2020-03-24T00:00:00.000Z"), ptr("2021-03-25T05:00:00.000Z")
		in.Phone = ptr("+1 512 555-5555")
		in.Data["note"] = "Building 7, second floor"
	}
	accented.FirstName, accented.LastName = ptr("Zoë"), ptr("Müller-Lüdenscheidt")
	for name, in := range map[string]lifecycle.PersonInput{"plain": plain, "accented": accented} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := in.Judge(attributes); len(faults) > 0 {
					b.Fatal(faults)
				}
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	for _, text := range []string{"william.smith", "William.Smith", "Müller-Lüdenscheidt", "Zoë", "Иванов"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lifecycle.Fold(text)
			}
		})
	}
}
