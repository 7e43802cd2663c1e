"""The functions of `import ganvas`: one for each verb, with the names of its flags."""
