"""How anything is shown: exhibits, pages, figures, numbers in words."""
