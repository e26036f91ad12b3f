package csvfile

// text is what a cell may be held in.
type text interface{ ~string | ~[]byte }

// Guard returns the cell as it is written: one that a spreadsheet would take
// for a formula, `^'*[=+\-@\t\r]`, gets a leading apostrophe, unless it is a
// telephone number, `^\+[\d ().-]+$` (contract §7). [Unguard] gives back every
// cell that Guard was given.
func Guard(cell string) string {
	if isFormula(cell) {
		return "'" + cell
	}
	return cell
}

// Unguard takes off the apostrophe that [Guard] put there: one off a cell like
// `^'+[=+\-@\t\r]`.
func Unguard(cell string) string {
	if len(cell) > 0 && cell[0] == '\'' && isFormula(cell) {
		return cell[1:]
	}
	return cell
}

// isFormula reports whether [Guard] has to keep the cell from being run. A cell
// that Guard made of a formula is one too, or two would come out alike.
func isFormula[T text](cell T) bool {
	for i := range len(cell) {
		switch cell[i] {
		case '\'':
			continue
		case '+':
			return i > 0 || !isTelephone(cell)
		case '=', '-', '@', '\t', '\r':
			return true
		}
		return false
	}
	return false
}

// isTelephone is asked of what begins with a plus sign.
func isTelephone[T text](cell T) bool {
	for i := 1; i < len(cell); i++ {
		switch c := cell[i]; {
		case '0' <= c && c <= '9', c == ' ', c == '(', c == ')', c == '.', c == '-':
		default:
			return false
		}
	}
	return len(cell) > 1
}
