package lifecycle

import "fmt"

// Refusals that depend on what is stored. Their texts stand here, so that
// every layer that finds one says the same.

// AccountNameTaken refuses an account name that a record or a pending request
// of the source holds (contract §3).
func AccountNameTaken(name string) *Error {
	return FieldError(KindConflict, "accountName",
		`Unable to create Non-Employee because the accountName "`+name+`" is already being used.`)
}

// NoActiveManager is what is wrong with a manager that can't be named.
const NoActiveManager = "manager names no active identity"

// NamesNobody refuses a reference to an identity that can't be named, or to a
// workgroup that there is not.
func NamesNobody(field string, reference Reference) *Error {
	what := "active identity"
	if reference.Type == ReferenceGovernanceGroup {
		what = "workgroup"
	}
	return FieldError(KindReferenceNotFound, field, field+" names no "+what+": "+reference.ID.String())
}

// NoOwnerForTimeout refuses a policy that approves where nobody answers for it.
func NoOwnerForTimeout() *Error {
	const field = "timeoutConfig.timeoutResult"
	return FieldError(KindIllegalValue, field, field+" must be EXPIRED: the source has no active owner, who would answer for APPROVED")
}

// NoSuchManager refuses a manager of an identity that there is not, or not any
// more.
func NoSuchManager() *Error {
	return FieldError(KindReferenceNotFound, "manager", "manager names no user")
}

// TooManySources refuses one source more than limit.
func TooManySources(limit int) *Error {
	return NewError(KindLimit, fmt.Sprintf("There are %d sources already, which is the limit.", limit))
}

// TooManyRecords refuses one record or pending request more than limit in a
// source.
func TooManyRecords(limit int) *Error {
	return NewError(KindLimit,
		fmt.Sprintf("The source has %d records and pending requests already, which is the limit.", limit))
}

// TooManyAttributes refuses one custom attribute more than
// [MaxCustomAttributes].
func TooManyAttributes() *Error {
	return NewError(KindLimit,
		fmt.Sprintf("The source has %d custom attributes already, which is the limit.", MaxCustomAttributes))
}

// TooManyApprovers refuses more than [MaxApprovers].
func TooManyApprovers() *Error {
	return FieldError(KindLimit, "approvers",
		fmt.Sprintf("approvers names more than %d identities, which is the limit", MaxApprovers))
}

// TooManyAccountManagers refuses more than [MaxAccountManagers].
func TooManyAccountManagers() *Error {
	return FieldError(KindLimit, "accountManagers",
		fmt.Sprintf("accountManagers names more than %d identities, which is the limit", MaxAccountManagers))
}

// TooManyMembers refuses more than [MaxWorkgroupMembers].
func TooManyMembers() *Error {
	return FieldError(KindLimit, "members",
		fmt.Sprintf("members has more than %d values, which is the limit.", MaxWorkgroupMembers))
}

// NoSuchMember refuses a member that names no identity.
func NoSuchMember(id ID) *Error {
	return FieldError(KindReferenceNotFound, "members", "members names no user: "+id.String())
}

// TooManyIDs refuses a bulk-delete of more than [MaxBulkDelete].
func TooManyIDs() *Error {
	return FieldError(KindLimit, "ids",
		fmt.Sprintf("ids names more than %d records, which is the limit.", MaxBulkDelete))
}

// TooManyTokens refuses one personal access token more than
// [MaxPersonalTokens].
func TooManyTokens() *Error {
	return NewError(KindLimit,
		fmt.Sprintf("The identity has %d personal access tokens already, which is the limit.", MaxPersonalTokens))
}
