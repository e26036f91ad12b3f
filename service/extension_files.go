package service

import (
	"errors"
	"io"
	"time"

	"gatehouse/csvfile"
	"gatehouse/lifecycle"
)

// namedRecords are the records that a file names, and what is wrong with it.
type namedRecords struct {
	now     time.Time
	targets []lifecycle.ExtensionTarget
	faults  lifecycle.ImportFaults
	// endless are the indices of those without an end of their own.
	endless []int
}

// read reads the file to its end. What is wrong with its rows is noted, what is
// wrong with the whole of it is returned.
func (n *namedRecords) read(decoder *csvfile.Decoder) error {
	faults, err := decoder.Header()
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		n.faults.Add(faults...)
		return n.faults.Err()
	}
	for {
		row, err := decoder.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(n.targets) == lifecycle.MaxExtensionRecords:
			return lifecycle.TooManyExtended("data")
		}
		n.faults.Add(row.Faults...)
		target := lifecycle.ExtensionTarget{Row: row.Number, Line: row.Line}
		if len(row.Faults) == 0 {
			n.judgeRow(&target, row.Input)
		}
		// A faulty one is kept, so that rows are counted as they are.
		n.targets = append(n.targets, target)
	}
}

// judgeRow judges the cells of a row. An end that it does not give stays zero.
func (n *namedRecords) judgeRow(target *lifecycle.ExtensionTarget, in lifecycle.PersonInput) {
	fault := func(kind lifecycle.Kind, column, message string) {
		n.faults.Add(lifecycle.RowFault{Row: target.Row, Line: target.Line, Column: column, Kind: kind, Message: message})
	}
	if in.ID != nil {
		text := lifecycle.Normalize(*in.ID)
		id, err := lifecycle.ParseID(text)
		switch {
		case text == "":
			fault(lifecycle.KindRequired, "id", "id is required")
		case err != nil:
			fault(lifecycle.KindBadRequest, "id", "id must be a UUID")
		}
		target.RecordID = id
	}
	if in.AccountName != nil {
		target.AccountName = lifecycle.Fold(lifecycle.Normalize(*in.AccountName))
		if target.AccountName == "" {
			fault(lifecycle.KindRequired, "accountName", "accountName is required")
		}
	}
	if in.EndDate == nil || lifecycle.Normalize(*in.EndDate) == "" {
		n.endless = append(n.endless, len(n.targets))
		return
	}
	var faults lifecycle.Faults
	target.EndDate, faults = lifecycle.JudgeEnd(in.EndDate, n.now)
	for _, problem := range faults {
		fault(problem.Kind, problem.Field, problem.Message)
	}
}

// judge gives the rows without an end the one that is given for all, and says all
// that is wrong with the file.
func (n *namedRecords) judge(end, comment *string) (extension lifecycle.Extension, err error) {
	var forAll time.Time
	if end != nil && lifecycle.Normalize(*end) == "" {
		end = nil
	}
	if end != nil {
		var faults lifecycle.Faults
		forAll, faults = lifecycle.JudgeEnd(end, n.now)
		for _, problem := range faults {
			n.faults.Add(lifecycle.RowFault{Kind: problem.Kind, Message: problem.Message})
		}
	}
	for _, i := range n.endless {
		if n.targets[i].EndDate = forAll; forAll.IsZero() && end == nil {
			n.faults.Add(lifecycle.RowFault{
				Row: n.targets[i].Row, Line: n.targets[i].Line, Column: "endDate", Kind: lifecycle.KindRequired,
				Message: "endDate is required where none is given for all",
			})
		}
	}
	extension.Comment, err = lifecycle.JudgeComment(comment, false)
	if problem, ok := errors.AsType[*lifecycle.Error](err); ok {
		n.faults.Add(lifecycle.RowFault{Kind: problem.Kind, Message: problem.Message})
	}
	if len(n.endless) == len(n.targets) {
		extension.EndDate = forAll
	}
	return extension, n.faults.Err()
}
