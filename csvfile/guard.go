package csvfile

import "regexp"

var (
	// formula is a cell that a spreadsheet would run, or one that Guard made
	// of such a cell.
	formula = regexp.MustCompile(`^'*[=+\-@\t\r]`)
	guarded = regexp.MustCompile(`^'+[=+\-@\t\r]`)
	// telephone numbers begin like a formula and are none.
	telephone = regexp.MustCompile(`^\+[\d ().-]+$`)
)

// Guard returns the cell as it is written: one that a spreadsheet would take
// for a formula gets a leading apostrophe (contract §7). [Unguard] gives back
// every cell that Guard was given.
func Guard(cell string) string {
	if formula.MatchString(cell) && !telephone.MatchString(cell) {
		return "'" + cell
	}
	return cell
}

// Unguard takes off the apostrophe that [Guard] put there.
func Unguard(cell string) string {
	if guarded.MatchString(cell) {
		return cell[1:]
	}
	return cell
}
