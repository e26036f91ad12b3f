package scim

import (
	"net/http"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func (s *server) listUsers(c *call) error {
	p, err := s.readPage(c, users, filter.Users)
	if err != nil {
		return err
	}
	found, total, err := s.directory.ListUsers(c.ctx, c.actor, p.query, p.shown.shows("groups") || p.shown.shows("meta"))
	if err != nil {
		return err
	}
	resources := make([]map[string]any, len(found))
	for i, user := range found {
		resources[i] = s.showUser(user)
	}
	return p.answer(c, total, resources)
}

func (s *server) createUser(c *call) error {
	if _, err := c.selected(users); err != nil {
		return err
	}
	body, err := s.body(c, schemaUser)
	if err != nil {
		return err
	}
	user, err := s.directory.CreateUser(c.ctx, c.actor, readUser(body))
	if err != nil {
		return err
	}
	return c.answer(http.StatusCreated, users, s.showUser(user))
}

func (s *server) getUser(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	user, err := s.directory.GetUser(c.ctx, c.actor, id)
	if err != nil {
		return err
	}
	if tag := userVersion(user); c.unchanged(tag) {
		c.w.Header().Set("ETag", tag)
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.answer(http.StatusOK, users, s.showUser(user))
}

func (s *server) replaceUser(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	body, err := s.body(c, schemaUser)
	if err != nil {
		return err
	}
	in := readUser(body)
	return s.updateUser(c, id, func(lifecycle.DirectoryUser) (lifecycle.UserInput, error) {
		return in, sameID(body, id)
	})
}

// sameID refuses a body that was read from another resource.
func sameID(body map[string]any, id lifecycle.ID) error {
	text, is := body["id"].(string)
	if given, err := lifecycle.ParseID(text); is && (err != nil || given != id) {
		return bad(mutability, "id can't be changed.")
	}
	return nil
}

func (s *server) patchUser(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	body, err := s.body(c, messagePatch)
	if err != nil {
		return err
	}
	changes, err := users.readPatch(body)
	if err != nil {
		return err
	}
	return s.updateUser(c, id, func(user lifecycle.DirectoryUser) (lifecycle.UserInput, error) {
		object := folded(s.userObject(user)).(map[string]any) //nolint:forcetypeassert // an object stays one
		err := users.patch(object, changes)
		return readUser(object), err
	})
}

func (s *server) updateUser(c *call, id lifecycle.ID, input func(lifecycle.DirectoryUser) (lifecycle.UserInput, error)) error {
	if _, err := c.selected(users); err != nil {
		return err
	}
	user, err := s.directory.UpdateUser(c.ctx, c.op, c.actor, id, func(user lifecycle.DirectoryUser) (lifecycle.UserInput, error) {
		if err := c.mayWrite(user.Version); err != nil {
			return lifecycle.UserInput{}, err
		}
		return input(user)
	})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, users, s.showUser(user))
}

func (s *server) deleteUser(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	err = s.directory.DeleteUser(c.ctx, c.actor, id, func(user lifecycle.DirectoryUser) error { return c.mayWrite(user.Version) })
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
