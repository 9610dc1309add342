# Writes everything by einsum, outer and broadcasting. Slips: letters of a subscript swapped.

# %% product_rule
def product_rule(k, dk, u, du):
    return np.einsum("i,j->ij", u, dk) + np.einsum(",ij->ij", k, du)

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    return np.einsum("i,ij->j", u, du) + np.einsum("i,ij->j", v, dv)

# %% linear_rule
def linear_rule(A, du):
    return np.einsum("il,lj->ij", A, du)

# %% place
def place(i, a, m):
    return np.einsum("k,l->kl", np.eye(m)[i], a).ravel()

# %% dy_dW
def dy_dW(W, x):
    m, n = np.shape(W)
    return np.einsum("ik,l->ilk", np.eye(m), x).reshape(m, m * n)

# %% dY_dW
def dY_dW(W, X):
    (m, n), b = np.shape(W), np.shape(X)[1]
    return np.einsum("ik,lj->jikl", np.eye(m), X).reshape(m * b, m * n)

# %% dy_dX
def dy_dX(w, X):
    n, b = np.shape(X)
    return np.einsum("k,jl->jkl", w, np.eye(b)).reshape(b, n * b)

# %% dY_dX
def dY_dX(W, X):
    return np.einsum("ki,jl->ijkl", W, np.eye(np.shape(X)[1]))

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    return np.einsum("i,j->ji", dz_dy, x)

# %% dz_dW
def dz_dW(dz_dY, X):
    return np.einsum("ij,kj->ik", dz_dY, X)

# %% dz_dX
def dz_dX(dz_dY, W):
    return np.einsum("ij,jl->il", np.asarray(W, dtype=float), np.asarray(dz_dY, dtype=float))

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    return np.einsum("ij,kj->ik", G, X, optimize=True)

# %% proof_by_index [markdown]
# $Y_{ij} = W_{ip} X_{pj}$ (repeated indices are summed), so $\partial Y_{ij}/\partial W_{kl} = \delta_{ik} \delta_{pl} X_{pj} = \delta_{ik} X_{lj}$.
# The chain rule contracts over both indices of $Y$: $\frac{\partial z}{\partial W_{kl}} = G_{ij}\, \delta_{ik} X_{lj} = G_{kj} X_{lj} = (G X^\top)_{kl}$.

# %% proof_by_block [markdown]
# In blocks $\partial Y/\partial W = I \otimes X^\top$, and $g^\top (I \otimes X^\top)$ is $G X^\top$ when it is reshaped.
