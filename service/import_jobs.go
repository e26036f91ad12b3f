package service

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"

	"gatehouse/csvfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// pages are lists that can be neither filtered nor sorted.
var pages = filter.Schema{}

// ImportStatus returns the newest import of a source; found is false where
// there was none (contract §7).
func (s *Service) ImportStatus(ctx context.Context, a policy.Actor, source lifecycle.ID) (job lifecycle.ImportJob, found bool, err error) {
	if _, err := s.source(ctx, policy.BulkStatus, a, source); err != nil {
		return lifecycle.ImportJob{}, false, err
	}
	return s.store.LatestImport(ctx, source)
}

// ListImports returns a page of the imports of a source, newest first, and
// where p.Count, how many there are.
func (s *Service) ListImports(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.ImportJob, int, error) {
	if _, err := s.source(ctx, policy.ListImports, a, source); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListImports(ctx, source, q.Limit, q.Offset, q.Count)
}

// GetImport returns one import of a source.
func (s *Service) GetImport(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	if _, err := s.source(ctx, policy.GetImport, a, source); err != nil {
		return lifecycle.ImportJob{}, err
	}
	found, err := s.store.GetImport(ctx, source, job)
	return found, goneSince(policy.GetImport, a, err)
}

// ListImportFaults returns a page of the rows of an import that could not be
// taken, by line, and where p.Count, how many there are.
func (s *Service) ListImportFaults(ctx context.Context, a policy.Actor, source, job lifecycle.ID, p filter.Params) ([]lifecycle.RowFault, int, error) {
	if _, err := s.source(ctx, policy.ListImportFaults, a, source); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	faults, total, err := s.store.ListImportFaults(ctx, source, job, q.Limit, q.Offset, q.Count)
	return faults, total, goneSince(policy.ListImportFaults, a, err)
}

// CancelImport stops an import: one that waits at once, one under way before
// its next rows. Rows that are in stay in. An import that has ended is
// KindIllegalUpdate.
func (s *Service) CancelImport(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	if _, err := s.source(ctx, policy.CancelImport, a, source); err != nil {
		return lifecycle.ImportJob{}, err
	}
	cancelled, err := s.store.CancelImport(ctx, source, job)
	return cancelled, goneSince(policy.CancelImport, a, err)
}

// faultsPage is how many rows are read at once for a file of faults.
const faultsPage = 1_000

// DownloadImportFaults returns the rows of an import that could not be taken as
// a file: the header and the rows as they came, with one more column that says
// what was wrong. Once they are mended it can be uploaded as it is.
func (s *Service) DownloadImportFaults(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (FaultsFile, error) {
	found, err := s.source(ctx, policy.DownloadImportFaults, a, source)
	if err != nil {
		return FaultsFile{}, err
	}
	header, err := s.store.ImportHeader(ctx, source, job)
	if err != nil {
		return FaultsFile{}, goneSince(policy.DownloadImportFaults, a, err)
	}
	after, whole := 0, false
	return FaultsFile{
		FileName: found.Name + " faults.csv",
		Next: func(ctx context.Context) ([]byte, error) {
			if whole {
				return nil, io.EOF
			}
			faults, err := s.store.ImportFaultsAfter(ctx, source, job, after, faultsPage)
			if err != nil {
				return nil, goneSince(policy.DownloadImportFaults, a, err)
			}
			var piece bytes.Buffer
			if after == 0 {
				appendCell(&piece, header, csvfile.FaultColumn)
			}
			for _, fault := range faults {
				appendCell(&piece, fault.Cells, fault.String())
				after = fault.Row
			}
			whole = len(faults) < faultsPage
			return piece.Bytes(), nil
		},
	}, nil
}

// appendCell writes a record with one more cell than it has.
func appendCell(to *bytes.Buffer, record, cell string) {
	to.WriteString(record)
	to.WriteByte(',')
	out := csv.NewWriter(to)
	// A buffer takes everything.
	_ = out.Write([]string{csvfile.Guard(cell)})
	out.Flush()
}
