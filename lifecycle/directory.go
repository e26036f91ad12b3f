package lifecycle

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of the directory, of our own.
const (
	// MaxWorkgroupMembers is how many members a workgroup may have.
	MaxWorkgroupMembers = 10_000
	// maxRoles bounds how many roles of a user are looked at.
	maxRoles = 100
)

// DirectoryUser is an identity as a directory keeps it.
type DirectoryUser struct {
	Identity
	// ExternalID is the directory's own name of the user; empty where it gave none.
	ExternalID string
	// GivenName, FamilyName and FormattedName are what the directory gave beside
	// Name; each may be empty.
	GivenName, FamilyName, FormattedName string
	// Language is what the user wants to be written to in, in the form of
	// Accept-Language, such as "de-AT, de;q=0.9"; empty where nobody said.
	Language string
	// ManagerName is the manager's name. It changes with the manager, not with the
	// identity, nor does Version.
	ManagerName string
	// Version counts the changes from 1. It grows with each.
	Version int64
	// Groups are the workgroups that the identity is a member of, by name. They
	// change with the workgroups, not with the identity, nor does Version.
	Groups []WorkgroupName
}

// WorkgroupName is a workgroup's id with its name.
type WorkgroupName struct {
	ID   ID
	Name string
}

// DirectoryGroup is a workgroup as a directory keeps it.
type DirectoryGroup struct {
	ID         ID
	ExternalID string
	Name       string
	// Members are by id; at most MaxWorkgroupMembers.
	Members []GroupMember
	// Version counts the changes from 1, those of the members among them.
	Version  int64
	Created  time.Time
	Modified time.Time
}

// GroupMember is a member of a workgroup.
type GroupMember struct {
	ID   ID
	Name string
}

// WorkgroupSummary is a workgroup in a list.
type WorkgroupSummary struct {
	ID   ID
	Name string
	// Members is how many there are.
	Members  int
	Created  time.Time
	Modified time.Time
}

// UserInput is what a directory sent of a user. nil is absent.
type UserInput struct {
	UserName, ExternalID, DisplayName    *string
	FormattedName, GivenName, FamilyName *string
	// Email is the one mail address that is kept of those that were sent.
	Email  *string
	Active *bool
	// Manager is an id.
	Manager  *string
	Language *string
	// Roles name user levels, without regard to case.
	Roles []string
	// Faults is what was wrong while the input was read, to be told with the rest.
	Faults Faults
}

// Judge normalises and judges the user and returns all the faults there are:
// those found while reading first. userName is required. Without a displayName
// the name is made of its parts, without these it is the userName. Who does not
// say whether the user is active says that they are.
//
// A name that was made of its parts follows them: where before, which may be
// zero, is named after its parts and the input does not give it another name, it
// is made anew.
//
// Kinds: KindRequired; KindIllegalValue for a text that is too long, no UTF-8 or
// has control characters, and for a role that is no user level;
// KindReferenceNotFound for a manager that is no id of ours. Whether the manager
// exists is for the store to say.
func (in UserInput) Judge(before DirectoryUser) (DirectoryUser, Faults) {
	j := newJudge(in.Faults)
	optional := textRule{max: MaxTextLength, optional: true}
	u := DirectoryUser{
		Identity: Identity{
			Alias:  j.text("userName", in.UserName, nameRule),
			Email:  j.text("emails", in.Email, optional),
			Active: in.Active == nil || *in.Active,
		},
		ExternalID:    j.text("externalId", in.ExternalID, optional),
		FormattedName: j.text("name.formatted", in.FormattedName, optional),
		GivenName:     j.text("name.givenName", in.GivenName, optional),
		FamilyName:    j.text("name.familyName", in.FamilyName, optional),
		Language:      j.text("preferredLanguage", in.Language, optional),
	}
	u.Name = j.text("displayName", in.DisplayName, optional)
	if u.Name == "" || u.Name == before.Name && before.Name == before.madeName() {
		u.Name = u.madeName()
	}
	if u.Name == "" && !j.faults.About("displayName") {
		u.Name = u.Alias
	}
	if problem := nameRule.problem(u.Name); problem != "" {
		j.faults.Add(KindIllegalValue, "displayName", "displayName "+problem)
	}
	u.Levels = j.levels(in.Roles)
	if manager := j.text("manager", in.Manager, optional); manager != "" {
		var err error
		if u.Manager, err = ParseID(manager); err != nil || u.Manager.IsZero() {
			j.faults = append(j.faults, NoSuchManager())
		}
	}
	return u, j.faults
}

// madeName is the full name that the parts make, empty if there are none.
func (u DirectoryUser) madeName() string {
	if u.FormattedName != "" {
		return u.FormattedName
	}
	return strings.TrimSpace(u.GivenName + " " + u.FamilyName)
}

func (j *judge) levels(roles []string) []Level {
	if len(roles) > maxRoles {
		j.faults.Add(KindLimit, "roles", "roles has more than "+strconv.Itoa(maxRoles)+" values")
		return nil
	}
	var levels []Level
	for i, role := range roles {
		level, ok := ParseLevel(Normalize(role))
		switch {
		case !ok:
			j.faults.Add(KindIllegalValue, "roles",
				"roles["+strconv.Itoa(i)+"] must be ORG_ADMIN, SOURCE_ADMIN or SOURCE_SUBADMIN")
		case !slices.Contains(levels, level):
			levels = append(levels, level)
		}
	}
	return levels
}

// ParseLevel reads a user level, without regard to case.
func ParseLevel(text string) (Level, bool) {
	for _, level := range []Level{LevelOrgAdmin, LevelSourceAdmin, LevelSourceSubadmin} {
		if strings.EqualFold(text, string(level)) {
			return level, true
		}
	}
	return "", false
}

// GroupInput is what a directory sent of a workgroup. nil is absent.
type GroupInput struct {
	DisplayName, ExternalID *string
	// Members are ids of identities.
	Members []string
	Faults  Faults
}

// Judge normalises and judges the workgroup as [UserInput.Judge] does a user.
// displayName is required. Whether the members exist is for the store to say;
// one that is named twice counts once.
//
// Kinds: those of [UserInput.Judge]; KindReferenceNotFound for a member that is
// no id of ours; KindLimit for more than [MaxWorkgroupMembers].
func (in GroupInput) Judge() (DirectoryGroup, Faults) {
	j := newJudge(in.Faults)
	g := DirectoryGroup{
		Name:       j.text("displayName", in.DisplayName, nameRule),
		ExternalID: j.text("externalId", in.ExternalID, textRule{max: MaxTextLength, optional: true}),
	}
	seen := make(map[ID]bool, len(in.Members))
	for i, member := range in.Members {
		id, err := ParseID(Normalize(member))
		if err != nil || id.IsZero() {
			j.faults.Add(KindReferenceNotFound, "members", "members["+strconv.Itoa(i)+"] names no user")
			// What is wrong with the tenth is wrong with the rest.
			if len(j.faults) >= maxMemberFaults {
				break
			}
			continue
		}
		if !seen[id] {
			seen[id] = true
			g.Members = append(g.Members, GroupMember{ID: id})
		}
	}
	if len(g.Members) > MaxWorkgroupMembers {
		j.faults = append(j.faults, TooManyMembers())
	}
	return g, j.faults
}

// maxMemberFaults bounds how many members one answer finds fault with.
const maxMemberFaults = 10
