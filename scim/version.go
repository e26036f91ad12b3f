package scim

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"gatehouse/lifecycle"
)

// A version is a weak entity tag: the number of the object's own changes and,
// behind a hyphen, a digest of what its answer shows of others, if it shows any.
// The latter moves by itself, so writing is held to the number alone.
func version(number int64, shown ...string) string {
	tag := strconv.FormatInt(number, 10)
	if len(shown) > 0 {
		digest := fnv.New64a()
		for _, text := range shown {
			_, _ = digest.Write(append([]byte(text), 0))
		}
		tag += "-" + strconv.FormatUint(digest.Sum64(), 16)
	}
	return `W/"` + tag + `"`
}

func userVersion(u lifecycle.DirectoryUser) string {
	var shown []string
	for _, group := range u.Groups {
		shown = append(shown, group.ID.String(), group.Name)
	}
	return version(u.Version, shown...)
}

func groupVersion(g lifecycle.DirectoryGroup) string {
	var shown []string
	for _, member := range g.Members {
		shown = append(shown, member.ID.String(), member.Name)
	}
	return version(g.Version, shown...)
}

// tags are those of an If-Match or If-None-Match header, without marks.
func tags(header http.Header, name string) (list []string, present bool) {
	values := header.Values(name)
	for tag := range strings.SplitSeq(strings.Join(values, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag != "" {
			list = append(list, strings.Trim(strings.TrimPrefix(tag, "W/"), `"`))
		}
	}
	return list, len(values) > 0
}

// mayWrite holds a change to what If-Match and If-None-Match ask of the object as
// it is under its lock.
func (c *call) mayWrite(number int64) error {
	current := strconv.FormatInt(number, 10)
	matches := func(list []string) bool {
		for _, tag := range list {
			own, _, _ := strings.Cut(tag, "-")
			if tag == "*" || own == current {
				return true
			}
		}
		return false
	}
	if list, asked := tags(c.r.Header, "If-Match"); asked && !matches(list) {
		return errMatch
	}
	if list, asked := tags(c.r.Header, "If-None-Match"); asked && matches(list) {
		return errMatch
	}
	return nil
}

// unchanged reports whether the client has this version of the answer already.
func (c *call) unchanged(version string) bool {
	list, _ := tags(c.r.Header, "If-None-Match")
	for _, tag := range list {
		if tag == "*" || `W/"`+tag+`"` == version {
			return true
		}
	}
	return false
}
