package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"gatehouse/lifecycle"
)

// Texts of faults that pass.
const (
	textUnreachable = "The database can't be reached at the moment; try again later."
	textTimeout     = "The query took longer than it may; narrow it down, for example to one source, or try again later."
	textBusy        = "Others are changing the same objects; try again."
)

// states maps SQLSTATEs, or their class where that is enough, to what they
// mean. Violated constraints are looked up by name in constraints. What is in
// neither is internal.
var states = map[string]*lifecycle.Error{
	// A connection or a server that fails or is going away.
	"08":    lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	"53":    lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	"57P01": lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	"57P02": lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	"57P03": lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	"57P05": lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	"58":    lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	// A server that has become a standby.
	"25006": lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable),
	// The statement timeout.
	"57014": lifecycle.NewError(lifecycle.KindUnavailable, textTimeout),
	// Deadlock, serialization failure, lock timeout.
	"40":    lifecycle.NewError(lifecycle.KindUnavailable, textBusy),
	"55P03": lifecycle.NewError(lifecycle.KindUnavailable, textBusy),
	// NUL or no UTF-8, in text and in JSON.
	"22021": lifecycle.NewError(lifecycle.KindIllegalValue, "A text holds a character that can't be stored."),
	"22P05": lifecycle.NewError(lifecycle.KindIllegalValue, "A text holds a character that can't be stored."),
	// A date beyond what the database can tell.
	"22007": lifecycle.NewError(lifecycle.KindIllegalValue, "A date is out of range."),
	"22008": lifecycle.NewError(lifecycle.KindIllegalValue, "A date is out of range."),
	// An index entry that is too long.
	"54000": lifecycle.NewError(lifecycle.KindIllegalValue, "A text is too long to be stored."),
}

// constraints maps the constraints that callers may run into.
var constraints = map[string]*lifecycle.Error{
	"account_names_pkey": lifecycle.FieldError(lifecycle.KindConflict, "accountName",
		"The accountName is already being used."),
	"sources_name_key": lifecycle.FieldError(lifecycle.KindConflict, "name",
		"A source with this name exists already."),
	"schema_attributes_name_key": lifecycle.FieldError(lifecycle.KindConflict, "technicalName",
		"The source has an attribute with this technicalName already."),
	"identities_alias_key": lifecycle.FieldError(lifecycle.KindConflict, "alias",
		"An identity with this alias exists already."),
	"identities_pkey": lifecycle.FieldError(lifecycle.KindConflict, "id",
		"An identity with this id exists already."),
	"workgroups_name_key": lifecycle.FieldError(lifecycle.KindConflict, "name",
		"A workgroup with this name exists already."),
	"workgroups_pkey": lifecycle.FieldError(lifecycle.KindConflict, "id",
		"A workgroup with this id exists already."),
	"clients_pkey": lifecycle.FieldError(lifecycle.KindConflict, "id",
		"A client with this id exists already."),
	"sources_owner_fkey": lifecycle.FieldError(lifecycle.KindReferenceNotFound, "owner",
		"owner names no identity."),
	"sources_workgroup_fkey": lifecycle.FieldError(lifecycle.KindReferenceNotFound, "managementWorkgroup",
		"managementWorkgroup names no workgroup."),
	"records_source_fkey":   errNoSource,
	"requests_source_fkey":  errNoSource,
	"records_manager_fkey":  errNoManager,
	"requests_manager_fkey": errNoManager,
	"clients_identity_fkey": lifecycle.FieldError(lifecycle.KindReferenceNotFound, "identity",
		"There is no such identity."),
	"decision_comments_item_fkey": lifecycle.NewError(lifecycle.KindNotFound,
		"There is no such approval item."),
	"records_dates":  errDates,
	"requests_dates": errDates,
}

var (
	errNoSource = lifecycle.FieldError(lifecycle.KindReferenceNotFound, "sourceId",
		"sourceId names no source.")
	errNoManager = lifecycle.FieldError(lifecycle.KindReferenceNotFound, "manager",
		"manager names no identity.")
	errNoOwner = lifecycle.FieldError(lifecycle.KindReferenceNotFound, "identity",
		"identity names no active identity.")
	errDates = lifecycle.FieldError(lifecycle.KindIllegalValue, "endDate",
		"endDate must be after startDate.")
	errInternal = lifecycle.NewError(lifecycle.KindInternal, "The store failed.")
)

// fault is what is kept of a Postgres error. Its message and detail are not:
// they quote values.
type fault struct {
	code, constraint, table, routine string
}

func (f fault) Error() string {
	return fmt.Sprintf("SQLSTATE %s, constraint %q, table %q, routine %q", f.code, f.constraint, f.table, f.routine)
}

// translate makes err a lifecycle error where it came from Postgres or from the
// way there, and leaves any other as it is.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*lifecycle.Error](err); ok {
		return err
	}
	if isConnectionFailure(err) {
		return lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable).WithCause(err)
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		cause := fault{pg.Code, pg.ConstraintName, pg.TableName, pg.Routine}
		return meaning(pg).WithCause(cause)
	}
	return err
}

func meaning(pg *pgconn.PgError) *lifecycle.Error {
	if strings.HasPrefix(pg.Code, "23") {
		if e, ok := constraints[pg.ConstraintName]; ok {
			return e
		}
		return errInternal
	}
	if e, ok := states[pg.Code]; ok {
		return e
	}
	if len(pg.Code) == 5 {
		if e, ok := states[pg.Code[:2]]; ok {
			return e
		}
	}
	return errInternal
}

func isConnectionFailure(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) {
		return true
	}
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// violates reports whether err is the violation of the named constraint.
func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.HasPrefix(pg.Code, "23") && pg.ConstraintName == constraint
}

// nameTaken gives a taken account name the contract's text (§3).
func nameTaken(err error, accountName string) error {
	if !violates(err, "account_names_pkey") {
		return err
	}
	return lifecycle.AccountNameTaken(accountName)
}
