package scim

import (
	"net/http"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func (s *server) listGroups(c *call) error {
	p, err := s.readPage(c, groups, filter.Groups)
	if err != nil {
		return err
	}
	members := p.shown.shows("members")
	if members {
		p.query.Limit = min(p.query.Limit, maxCountWithMembers)
	}
	found, total, err := s.directory.ListGroups(c.ctx, c.actor, p.query, members)
	if err != nil {
		return err
	}
	resources := make([]map[string]any, len(found))
	for i, group := range found {
		resources[i] = s.showGroup(group)
	}
	return p.answer(c, total, resources)
}

func (s *server) createGroup(c *call) error {
	if _, err := c.selected(groups); err != nil {
		return err
	}
	body, err := s.body(c, schemaGroup)
	if err != nil {
		return err
	}
	group, err := s.directory.CreateGroup(c.ctx, c.actor, readGroup(body))
	if err != nil {
		return err
	}
	return c.answer(http.StatusCreated, groups, s.showGroup(group))
}

func (s *server) getGroup(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	shown, err := c.selected(groups)
	if err != nil {
		return err
	}
	group, err := s.directory.GetGroup(c.ctx, c.actor, id, shown.shows("members"))
	if err != nil {
		return err
	}
	if tag := groupVersion(group); c.unchanged(tag) {
		c.w.Header().Set("ETag", tag)
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.answer(http.StatusOK, groups, s.showGroup(group))
}

func (s *server) replaceGroup(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	body, err := s.body(c, schemaGroup)
	if err != nil {
		return err
	}
	in := readGroup(body)
	group, err := s.updateGroup(c, id, func(lifecycle.DirectoryGroup) (lifecycle.GroupInput, error) {
		return in, sameID(body, id)
	})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, groups, s.showGroup(group))
}

// patchGroup answers without a body unless attributes are asked for: a group may
// have thousands of members, and a directory sends them a few at a time.
func (s *server) patchGroup(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	body, err := s.body(c, messagePatch)
	if err != nil {
		return err
	}
	changes, err := groups.readPatch(body)
	if err != nil {
		return err
	}
	group, err := s.updateGroup(c, id, func(group lifecycle.DirectoryGroup) (lifecycle.GroupInput, error) {
		object := folded(s.groupObject(group)).(map[string]any) //nolint:forcetypeassert // an object stays one
		err := groups.patch(object, changes)
		return readGroup(object), err
	})
	if err != nil {
		return err
	}
	if c.query.Has("attributes") || c.query.Has("excludedAttributes") {
		return c.answer(http.StatusOK, groups, s.showGroup(group))
	}
	c.w.Header().Set("ETag", groupVersion(group))
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) updateGroup(c *call, id lifecycle.ID, input func(lifecycle.DirectoryGroup) (lifecycle.GroupInput, error)) (lifecycle.DirectoryGroup, error) {
	if _, err := c.selected(groups); err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	return s.directory.UpdateGroup(c.ctx, c.op, c.actor, id, func(group lifecycle.DirectoryGroup) (lifecycle.GroupInput, error) {
		if err := c.mayWrite(group.Version); err != nil {
			return lifecycle.GroupInput{}, err
		}
		return input(group)
	})
}

func (s *server) deleteGroup(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	err = s.directory.DeleteGroup(c.ctx, c.actor, id, func(group lifecycle.DirectoryGroup) error { return c.mayWrite(group.Version) })
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
